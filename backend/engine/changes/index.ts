export { createChanges, type Changes } from './changes.ts'
export { installChanges } from './install.ts'
