import { Type } from '@sinclair/typebox'
import { closed, defineCommand, defineEvent, described, ref } from '../contract.ts'
import { conversationId } from '../messages/examples.ts'
import { ConversationId, UserId } from '../shared/ids.ts'
import { ids } from '../users/examples.ts'
import { conversationState, memberExample } from './examples.ts'
import { ConversationState, Member, Muted, Pinned, Typing } from './schemas.ts'

export const conversationUpdated = defineEvent({
  type: 'conversation.updated',
  kind: 'change',
  summary: 'A conversation was changed',
  data: Type.Object({ conversation: described(ref(ConversationState), 'As it is now') }),
  example: { conversation: conversationState },
})

export const memberJoined = defineEvent({
  type: 'member.joined',
  kind: 'change',
  summary: 'Somebody became a member',
  description: 'When it is you, the conversation is new to you: get its type, title and members with `conversations.get`.',
  data: Type.Object({ member: described(ref(Member), 'The new member') }),
  example: { member: memberExample },
})

export const memberUpdated = defineEvent({
  type: 'member.updated',
  kind: 'change',
  summary: 'A member has another role',
  data: Type.Object({ member: described(ref(Member), 'The member as it is now') }),
  example: { member: { ...memberExample, role: 'admin' } },
})

export const memberLeft = defineEvent({
  type: 'member.left',
  kind: 'change',
  summary: 'Somebody left or was removed',
  description: 'When it is you, it is the last event of this conversation.',
  data: Type.Object({ userId: described(UserId, 'Who is no member any more') }),
  example: { userId: ids.bob },
})

export const membershipUpdated = defineEvent({
  type: 'membership.updated',
  kind: 'change',
  summary: 'You have changed what a conversation is to you',
  description: 'Told to you alone, on all your devices; others hear `change.hidden`.',
  data: Type.Object({ muted: Muted, pinned: Pinned }),
  example: { muted: true, pinned: false },
})

export const typing = defineEvent({
  type: 'typing',
  kind: 'signal',
  summary: 'A member is typing, or not any more',
  data: Type.Object({
    conversationId: ConversationId,
    userId: described(UserId, 'Who is typing'),
    typing: Typing,
    expiresInSeconds: Type.Integer({ minimum: 0, description: 'It has ended when nothing else was said until then' }),
  }),
  example: { conversationId, userId: ids.bob, typing: true, expiresInSeconds: 6 },
})

export const setTypingCommand = defineCommand({
  type: 'conversations.setTyping',
  summary: 'Say that you are typing, or not any more',
  rateLimit: 'default',
  data: closed({ conversationId: ConversationId, typing: Typing }),
  errors: ['not_found', 'forbidden', 'conflict'],
  example: { conversationId, typing: true },
})
