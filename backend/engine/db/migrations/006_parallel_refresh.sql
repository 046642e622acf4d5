-- Millions of rows are sorted by several processes, where the server has them: handing on a row costs less than it reckons.
alter function run_view_refresh(view_state) set parallel_tuple_cost = '0.03';
