export { startHttp, type HttpServer } from './server.ts'
export { mintToken, type TokenOptions } from './token.ts'
