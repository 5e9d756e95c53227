import type { SessionId, UserId } from '../openapi/shared/ids.ts'
import type { Role } from '../openapi/users/schemas.ts'

/** Who acts. It outlives the request that brought it: sockets and jobs pass it to services as routes do. */
export interface Actor {
  userId: UserId
  sessionId: SessionId
  role: Role
  /** Unix milliseconds after which its token is no longer good. */
  expiresAt: number
}
