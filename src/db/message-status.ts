/** How far messages have come, told from the marks of the members: nothing is stored per message and reader. */

/** @param message a row of `messages` @param member a row of `members` */
const isRead = (message: string, member: string): string => `(${message}.seq <= ${member}.read_seq or ${message}.seq <@ ${member}.read_ranges)`

/** What is read is delivered, whether that was said or not. */
const isDelivered = (message: string, member: string): string => `(${message}.seq <= ${member}.delivered_seq or ${isRead(message, member)})`

/** `MessageStatus` of a message with one member. */
export const receiptStatus = (message: string, member: string): string =>
  `case when ${isRead(message, member)} then 'read' when ${isDelivered(message, member)} then 'delivered' else 'sent' end`

/** For whom a message is beside its sender: the present members, less those who joined later and see nothing of before. */
export const isReceiver = (message: string, member: string): string =>
  `${member}.conversation_id = ${message}.conversation_id and ${member}.user_id <> ${message}.sender_id and ${member}.left_at is null
   and ${member}.first_seq <= ${message}.seq`

/** `MessageStatus` of a message: the least that any of its receivers has. */
export const messageStatus = (message: string): string => `(
  select case when bool_and(${isRead(message, 'o')}) then 'read' when bool_and(${isDelivered(message, 'o')}) then 'delivered' else 'sent' end
  from members o where ${isReceiver(message, 'o')})`
