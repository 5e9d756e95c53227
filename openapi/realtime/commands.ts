import { closed, defineCommand, described, ref } from '../contract.ts'
import { conversationId } from '../messages/examples.ts'
import { Cursors } from './schemas.ts'

export const resume = defineCommand({
  type: 'resume',
  summary: 'Send me what is newer than my cursors',
  description: 'Answered by the changes in order, `gap` where it is too much, `gone` where you are no member, and then `ready`.',
  rateLimit: 'default',
  readOnly: true,
  data: closed({ cursors: described(ref(Cursors), 'What you hold, of the conversations that are behind') }),
  errors: [],
  example: { cursors: { [conversationId]: 57 } },
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
