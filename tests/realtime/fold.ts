/** What a client holds of a conversation, brought up to date change by change as the contract says, and the same as REST has it. */
import type { Change, Conversation, ConversationState, Member, Message, Parley } from '@parley/sdk'

export interface Folded {
  /** Whose client it is. */
  ownId: string
  settings: ConversationState
  /** By `seq`. */
  messages: Map<number, Message>
  members: Map<string, Member>
  own: Pick<Conversation, 'readSeq' | 'readRanges' | 'muted' | 'pinned'>
}

export function foldedOf(conversation: Conversation, ownId: string): Folded {
  const { members, readSeq, readRanges, muted, pinned } = conversation
  return {
    ownId,
    settings: settingsOf(conversation),
    messages: new Map(),
    members: new Map(members.map((member) => [member.user.id, member])),
    own: { readSeq, readRanges, muted, pinned },
  }
}

export function addMessage({ messages }: Folded, message: Message): void {
  const { seq, id } = message
  if ((messages.get(seq)?.id ?? id) !== id) throw new Error(`Two messages have seq ${seq}`)
  messages.set(seq, message)
}

export function applyChange(state: Folded, change: Change): void {
  const { ownId, members, own } = state
  switch (change.type) {
    case 'message.created':
    case 'message.updated':
    case 'message.deleted':
      addMessage(state, change.data.message)
      renewAnswers(state, change.data.message)
      return wrote(state, change.data.message)
    case 'conversation.updated':
      state.settings = settingsOf(change.data.conversation)
      return
    case 'member.joined':
    case 'member.updated':
      members.set(change.data.member.user.id, change.data.member)
      return
    case 'member.left':
      members.delete(change.data.userId)
      return
    case 'read': {
      const { userId, readSeq, readRanges } = change.data
      setMember(state, userId, { readSeq })
      if (userId === ownId) state.own = { ...own, readSeq, readRanges }
      return
    }
    case 'delivered':
      return setMember(state, change.data.userId, { deliveredSeq: change.data.deliveredSeq })
    case 'membership.updated':
      state.own = { ...own, ...change.data }
      return
    case 'change.hidden':
      return
  }
}

/** Whoever writes has read what was said before; what was changed right after it was sent may come as that alone. */
function wrote(state: Folded, { senderId, seq }: Message): void {
  setMember(state, senderId, { readSeq: Math.max(seq, state.members.get(senderId)?.readSeq ?? 0) })
  if (senderId !== state.ownId) return
  const readSeq = Math.max(seq, state.own.readSeq)
  state.own = { ...state.own, readSeq, readRanges: state.own.readRanges.filter(([from = 0]) => from > readSeq) }
}

function setMember({ members }: Folded, userId: string, marks: Partial<Member>): void {
  const member = members.get(userId)
  if (member !== undefined) members.set(userId, { ...member, ...marks })
}

/** Answers to a message that has changed show what it says now. */
function renewAnswers({ messages }: Folded, { id, content, deletedAt }: Message): void {
  const excerpt = deletedAt === null ? [...content].slice(0, 100).join('') : null
  for (const [seq, message] of messages) if (message.replyTo?.messageId === id) messages.set(seq, { ...message, replyTo: { ...message.replyTo, excerpt } })
}

/** As REST has it now, plain for comparison; what `plain` counts, it counts itself. */
export async function readState(api: Parley, id: string): Promise<object> {
  const { conversation } = await api.conversations.get(id)
  const { role, memberCount, unreadCount } = conversation
  const state = foldedOf(conversation, '')
  for await (const message of api.messages.list(id, { limit: 100 })) addMessage(state, message)
  return { ...plain(state), role, memberCount, unreadCount }
}

export function plain({ ownId, settings, messages, members, own }: Folded): object {
  const isUnread = ({ seq, deletedAt }: Message) =>
    deletedAt === null && seq > own.readSeq && !own.readRanges.some(([from = 0, to = 0]) => from <= seq && seq <= to)
  return {
    settings,
    messages: Object.fromEntries(messages),
    members: Object.fromEntries(members),
    ...own,
    role: members.get(ownId)?.role,
    memberCount: members.size,
    unreadCount: [...messages.values()].filter(isUnread).length,
  }
}

const settingsOf = (conversation: ConversationState): ConversationState => ({
  id: conversation.id,
  type: conversation.type,
  title: conversation.title,
  description: conversation.description,
  summary: conversation.summary,
  status: conversation.status,
  tags: conversation.tags,
  metadata: conversation.metadata,
  isPrivate: conversation.isPrivate,
  allowInvites: conversation.allowInvites,
  historyVisibility: conversation.historyVisibility,
  messageRetentionDays: conversation.messageRetentionDays,
  firstSeq: conversation.firstSeq,
  createdBy: conversation.createdBy,
  createdAt: conversation.createdAt,
})
