export { createLanes, type LanesOptions } from './lanes.ts'
export type { LaneBackend } from './server.ts'
export { installLanes } from './install.ts'
export { LANES, type JobHandler, type JobView, type Lanes } from './lane.ts'
