import { Type } from '@sinclair/typebox'
import { closed, defineCommand, defineEvent, described, ref } from '../contract.ts'
import { ids } from '../users/examples.ts'
import { conversationId, messageExample } from './examples.ts'
import { Message, SendMessageResult, sendMessageCommandFields } from './schemas.ts'

export const messageCreated = defineEvent({
  type: 'message.created',
  kind: 'change',
  summary: 'A message was sent',
  description: "Moves its sender's read mark to it: whoever writes has read what was said before.",
  data: Type.Object({ message: described(ref(Message), 'The new message') }),
  example: { message: messageExample },
})

export const messageUpdated = defineEvent({
  type: 'message.updated',
  kind: 'change',
  summary: 'A message is different now',
  description:
    'It was edited, or somebody reacted to it: replace what you hold, and keep it where you held nothing, for after a resume a message that is new to you may come this way, which has moved its sender’s read mark as `message.created` does. Answers to it that you hold show the beginning of it: renew their `replyTo`, for nothing else tells of that.',
  data: Type.Object({ message: described(ref(Message), 'As it is now') }),
  example: { message: { ...messageExample, content: 'Shall we meet at one?', editedAt: '2026-11-20T10:05:00.000Z' } },
})

export const messageDeleted = defineEvent({
  type: 'message.deleted',
  kind: 'change',
  summary: 'A message was deleted',
  description:
    'Its content is gone; its number stays, so that the order has no hole. One that is new to you, after a resume, has moved its sender’s read mark as `message.created` does. In answers to it that you hold, the `excerpt` of `replyTo` is null from now on.',
  data: Type.Object({ message: described(ref(Message), 'What is left of it') }),
  example: { message: { ...messageExample, content: '', clientId: null, deletedAt: '2026-11-20T11:00:00.000Z' } },
})

export const messageMentioned = defineEvent({
  type: 'message.mentioned',
  kind: 'signal',
  summary: 'Somebody addresses you',
  description:
    'Beside the change that brings the message, on all your sockets, also for a conversation that you have muted. By an edit only those are told whom the message has not mentioned in any version. It is of the moment: after a resume see `mentions` of what is new.',
  data: Type.Object({ message: described(ref(Message), 'The message that mentions you') }),
  example: { message: { ...messageExample, mentions: [ids.bob] } },
})

export const sendMessageCommand = defineCommand({
  type: 'conversations.sendMessage',
  summary: 'Send a message',
  description:
    'The same as the operation. A client that got no answer sends it again with the same `clientId`. A legal message may be longer than a frame, which would end the socket with 1009: what does not fit `maxFrameBytes` goes over REST.',
  rateLimit: 'messages',
  data: closed(sendMessageCommandFields),
  result: ref(SendMessageResult),
  errors: ['not_found', 'forbidden', 'conflict'],
  example: { conversationId, content: messageExample.content, clientId: messageExample.clientId },
})
