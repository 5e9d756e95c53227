export type { ApiCall, CallOptions, Page, PagedCall } from './api-call.ts'
export {
  ConflictError,
  ConnectionError,
  type ErrorCode,
  ForbiddenError,
  NotFoundError,
  ParleyError,
  RateLimitError,
  ServerError,
  TimeoutError,
  UnauthorizedError,
  ValidationError,
} from './errors.ts'
export type * from './generated/resources.ts'
export type * from './generated/types.ts'
export { Parley, type ParleyOptions } from './parley.ts'
export type { Runtime } from './runtime.ts'
export type { Tokens } from './tokens.ts'
export type { DebugEvent } from './transport.ts'
