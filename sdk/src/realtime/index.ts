export type { WebSocketClass, WebSocketLike } from './connection.ts'
export type { RealtimeEvents, RealtimeState } from './events.ts'
export { connect, Realtime, type RealtimeOptions } from './realtime.ts'
