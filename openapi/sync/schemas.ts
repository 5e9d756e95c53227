import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, ref } from '../contract.ts'
import { Change } from '../realtime/frames.ts'
import { AllPositions, Cursors, Positions } from '../realtime/schemas.ts'
import { ConversationId } from '../shared/ids.ts'

export const PullRequest = component(
  'PullRequest',
  closed(
    {
      cursors: Type.Optional(described(ref(Cursors), 'What you hold; without it only `positions` are told')),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 500, description: 'Changes per answer' })),
    },
    { description: 'Where you stand' },
  ),
)
export type PullRequest = Static<typeof PullRequest>

export const PullResult = component(
  'PullResult',
  Type.Object(
    {
      changes: Type.Array(ref(Change), { description: 'In order within each conversation; the present state of what changed' }),
      cursors: described(ref(Positions), 'The cursors of the request, moved past these changes'),
      positions: described(ref(AllPositions), 'The present `changeSeq` of every conversation of yours, by its id'),
      gone: Type.Array(ConversationId, { description: 'Conversations of the request that are not yours any more' }),
      hasMore: Type.Boolean({ description: 'Whether there is more: ask again with the new cursors' }),
    },
    { description: 'What changed since your cursors' },
  ),
)
export type PullResult = Static<typeof PullResult>
