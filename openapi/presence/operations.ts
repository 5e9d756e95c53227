import { defineOperation, ref } from '../contract.ts'
import { ids } from '../users/examples.ts'
import { Presence, SetPresenceRequest } from '../users/schemas.ts'

export const setPresence = defineOperation({
  operationId: 'users.setPresence',
  method: 'PUT',
  path: '/v1/users/me/presence',
  summary: 'Set what others are shown while you are there',
  description:
    'It stays until you set another one. Those who share a conversation with you are told at once (event `presence.changed`), but for whom you have blocked. An API key that has a socket open is there as you are.',
  access: 'user',
  rateLimit: 'default',
  body: ref(SetPresenceRequest),
  examples: { any: { status: 'busy' } },
  responses: {
    200: {
      description: 'What others are shown now',
      body: ref(Presence),
      example: { userId: ids.alice, status: 'busy', lastSeen: '2026-11-20T10:00:00.000Z' },
    },
  },
  errors: [],
})
