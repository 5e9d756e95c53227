import { type Static, Type } from '@sinclair/typebox'
import { closed, component, ref } from '../contract.ts'
import { Change } from '../realtime/frames.ts'
import { Cursors, Positions } from '../realtime/schemas.ts'
import { ConversationId } from '../shared/ids.ts'

export const PullRequest = component(
  'PullRequest',
  closed({
    cursors: Type.Optional(ref(Cursors)),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 500, description: 'Changes per answer' })),
  }),
)
export type PullRequest = Static<typeof PullRequest>

export const PullResult = component(
  'PullResult',
  Type.Object({
    changes: Type.Array(ref(Change), { description: 'In order within each conversation; the present state of what changed' }),
    cursors: Type.Unsafe<Positions>({ ...ref(Positions), description: 'The cursors of the request, moved past these changes' }),
    positions: ref(Positions),
    gone: Type.Array(ConversationId, { description: 'Conversations of the request that are not yours any more' }),
    hasMore: Type.Boolean({ description: 'Ask again with the new cursors' }),
  }),
)
export type PullResult = Static<typeof PullResult>
