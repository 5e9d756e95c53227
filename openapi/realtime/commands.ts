import { Type } from '@sinclair/typebox'
import { closed, defineCommand, described, ref } from '../contract.ts'
import { conversationId } from '../messages/examples.ts'
import { ConversationId } from '../shared/ids.ts'
import { Cursors, Subscribed } from './schemas.ts'

export const resume = defineCommand({
  type: 'resume',
  summary: 'Send me what is newer than my cursors',
  description:
    'Answered by the changes in order, `gap` where it is too much, `gone` where you are no member, and then `ready`. If they cannot be read, the answer is an `error` (`unavailable` while the database is) and the socket is closed with 1001: connect and resume from what you have applied by then.',
  rateLimit: 'default',
  readOnly: true,
  data: closed({ cursors: described(ref(Cursors), 'What you hold, of the conversations that are behind') }),
  errors: [],
  example: { cursors: { [conversationId]: 57 } },
})

const conversationIds = (description: string) => Type.Array(ConversationId, { minItems: 1, maxItems: 500, uniqueItems: true, description })

export const subscribe = defineCommand({
  type: 'subscribe',
  summary: 'Send me these conversations alone',
  description:
    'A socket gets all conversations of its user until it names some: from then on those alone, and with each further call these beside them. The answer tells where they stand, so that you resume those in which you are behind. Without `conversationIds` it gets all again. When one of them is not yours, nothing changes.',
  rateLimit: 'default',
  readOnly: true,
  data: closed({ conversationIds: Type.Optional(conversationIds('What to get; left out: all of yours, also those to come')) }),
  result: ref(Subscribed),
  errors: ['not_found'],
  example: { conversationIds: [conversationId] },
})

export const unsubscribe = defineCommand({
  type: 'unsubscribe',
  summary: 'Send me no more of these conversations',
  description: 'From now on the socket gets those that are left, and no new ones by itself.',
  rateLimit: 'default',
  readOnly: true,
  data: closed({ conversationIds: conversationIds('What not to get any more') }),
  errors: [],
  example: { conversationIds: [conversationId] },
})

export const ping = defineCommand({
  type: 'ping',
  summary: 'Are you there?',
  description: 'Answered by `pong`. For clients that cannot see the pings of the protocol, such as browsers.',
  rateLimit: 'default',
  readOnly: true,
  data: closed({}),
  errors: [],
  example: {},
})
