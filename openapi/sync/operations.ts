import { defineOperation, ref } from '../contract.ts'
import { conversationId, messageExample } from '../messages/examples.ts'
import { PullRequest, PullResult } from './schemas.ts'

export const pull = defineOperation({
  operationId: 'sync.pull',
  method: 'POST',
  path: '/v1/sync',
  summary: 'Get what changed since your cursors',
  description:
    "The REST twin of the socket's `resume`. Without cursors it only tells `positions`: the point to start from. A conversation in `positions` that you hold no cursor for is new to you: ask for it with 0. A cursor beyond its position means that the server's database was restored from a backup: go on from the position, and load that conversation anew.",
  access: 'user',
  rateLimit: 'default',
  readOnly: true,
  repeatable: true,
  body: ref(PullRequest),
  examples: { start: {}, since: { cursors: { [conversationId]: 56 } } },
  responses: {
    200: {
      description: 'What changed',
      body: ref(PullResult),
      example: {
        changes: [{ type: 'message.created', conversationId, changeSeq: 57, data: { message: messageExample } }],
        cursors: { [conversationId]: 57 },
        positions: { [conversationId]: 57 },
        gone: [],
        hasMore: false,
      },
    },
  },
  errors: [],
})
