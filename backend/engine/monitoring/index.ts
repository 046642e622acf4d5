export { checkHealth, type Health, type ServiceHealth } from './health.ts'
