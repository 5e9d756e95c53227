// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.

import type { Uploadable } from '../form.ts'

/** The answer to a command that is done */
export interface AckFrame {
    /**
     * What kind of frame this is
     */
    type: "ack";
    /** Your own, to find the answer by */
    id: string | number;
    /** The result of the command, where it has one */
    data?: unknown;
}

/** Whom to add */
export interface AddMembersRequest {
    /** Those who are members already stay as they are */
    userIds: string[];
}

/** Who has been added */
export interface AddMembersResult {
    /** The named users, as members */
    members: Member[];
}

/** What administrators see of a user */
export interface AdminUser {
    /**
     * Format: uuid
     * Id of a user
     */
    id: string;
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
    /** Whether a code that was mailed there has been used */
    emailVerified: boolean;
    /** Unique in any letter case; null when there is none */
    username: string | null;
    /** The name to show; null when none was given */
    displayName: string | null;
    /** Null when none was given */
    firstName: string | null;
    /** Null when none was given */
    lastName: string | null;
    /** In E.164: `+` and digits; null when none was given */
    phone: string | null;
    /** Null when none was given */
    companyCustomerId: string | null;
    /** A few words about yourself; null when none were given */
    bio: string | null;
    /** Where you are, in words; null when it was not given */
    location: string | null;
    /** IANA name; null when it was not given */
    timezone: string | null;
    /** BCP 47 language tag; null when it was not given */
    locale: string | null;
    /** What your clients keep to, on every device */
    settings: UserSettings;
    /** Where the picture is, relative to the API's address: WebP, 512 × 512 pixels; another one has another address, so it may be cached for ever. Null without one */
    avatarUrl: string | null;
    /**
     * What you may do on this server: `admin` is for whoever runs it
     */
    role: "user" | "admin";
    /** Whether you can sign in with a password */
    hasPassword: boolean;
    /**
     * What others are shown while you have a socket open; `offline` hides you, and when you come and go meanwhile. It stays until you set another one
     */
    presence: "online" | "away" | "busy" | "offline";
    /**
     * Format: date-time
     * When the account will be erased, unless you sign in before: ISO 8601, UTC; null when that was not asked for
     */
    deletionAt: string | null;
    /**
     * Format: date-time
     * When you registered: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * When something of this changed last: ISO 8601, UTC, milliseconds
     */
    updatedAt: string;
    /**
     * Format: date-time
     * Since when the user may not sign in: ISO 8601, UTC; null for those who may
     */
    suspendedAt: string | null;
    /**
     * Format: date-time
     * When the user had a socket open last, to some seconds, and for one who hides when that began: ISO 8601, UTC; null if never. No block keeps it from you
     */
    lastSeen: string | null;
    /** The account was erased: nothing of the person is left in it */
    deleted: boolean;
}

/** The present `changeSeq` of every conversation of yours, by its id */
export interface AllPositions {
    [key: string]: number;
}

/** What went wrong */
export interface ApiError {
    /**
     * For programs; the sentence in `message` may change, this does not
     */
    code: "validation_error" | "malformed_json" | "unauthorized" | "invalid_credentials" | "invalid_code" | "invalid_token" | "forbidden" | "insufficient_scope" | "csrf_rejected" | "account_suspended" | "email_not_verified" | "token_family_compromised" | "not_found" | "method_not_allowed" | "conflict" | "quota_exceeded" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "upgrade_required" | "rate_limit_exceeded" | "internal_error" | "unavailable";
    /** For a person: what is wrong and what to do */
    message: string;
    /** Every field that is wrong */
    details?: FieldError[];
    /** When to try again; on requests also in `Retry-After` */
    retryAfterSeconds?: number;
    /** Also in the `X-Request-Id` header and in every log line of the request */
    requestId: string | null;
    /**
     * Format: date-time
     * When it went wrong: ISO 8601, UTC, milliseconds
     */
    timestamp: string;
}

/** A key by which a program acts as you. The key itself is shown once, when it is created */
export interface ApiKey {
    /**
     * Format: uuid
     * Id of an API key
     */
    id: string;
    /** What it is for */
    name: string;
    /**
     * `read`: what only reads; `write`: what its user may do, but for sign-in, passwords, keys and leaving; `admin`: what administrators may do as well
     */
    scope: "read" | "write" | "admin";
    /** The last 4 characters of the key, to know it again by */
    hint: string;
    /**
     * Format: date-time
     * When it was created: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * When it was used last, to a minute: ISO 8601, UTC; null if never
     */
    lastUsedAt: string | null;
    /**
     * Format: date-time
     * When it stops working: ISO 8601, UTC; null for never
     */
    expiresAt: string | null;
}

/** A file of a message: `files.getContent` has its bytes */
export interface Attachment {
    /**
     * Format: uuid
     * Id of a file
     */
    id: string;
    /** The name it was uploaded with, for display */
    name: string;
    /** What its bytes say it is */
    contentType: string;
    /** In bytes */
    sizeBytes: number;
    /** Of an image, in pixels, upright */
    width: number | null;
    /** Of an image, in pixels, upright */
    height: number | null;
    /** Whether `files.getContent` has a small picture of it */
    hasThumbnail: boolean;
}

/** Something that an administrator did */
export interface AuditLogEntry {
    /**
     * Format: uuid
     * Id of an entry of the audit log
     */
    id: string;
    /**
     * What was done
     */
    action: "user.create" | "user.update" | "user.change_role" | "user.suspend" | "user.unsuspend" | "user.revoke_sessions" | "user.delete";
    /**
     * Format: uuid
     * Who did it; null for what was done on the server's command line or by its configuration
     */
    actorId: string | null;
    /**
     * Format: uuid
     * To whom
     */
    targetId: string;
    /** The address that the request came from; null when there was no request */
    ip: string | null;
    /** Why, in the words of who did it; null when none were given */
    reason: string | null;
    /** What else is known, by name: up to 20 small facts */
    metadata: {
        [key: string]: string | number | boolean | null;
    };
    /**
     * Format: date-time
     * When: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** A user whom you have blocked */
export interface BlockedUser {
    /** Who is blocked */
    user: UserSummary;
    /**
     * Format: date-time
     * Since when: ISO 8601, UTC, milliseconds
     */
    blockedAt: string;
}

/** A numbered change of a conversation; `type` tells which */
export type Change = MessageCreatedEvent | MessageUpdatedEvent | MessageDeletedEvent | ConversationUpdatedEvent | MemberJoinedEvent | MemberUpdatedEvent | MemberLeftEvent | ReadEvent | DeliveredEvent | MembershipUpdatedEvent | ChangeHiddenEvent;

/** Something changed that is not for you */
export interface ChangeHiddenEvent {
    /**
     * What kind of frame this is
     */
    type: "change.hidden";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: Record<string, never>;
}

/** The password that you have, and the one to have from now on */
export interface ChangePasswordRequest {
    /** The one that you have */
    currentPassword: string;
    /** 8–128 characters, none of the commonest passwords, and without your address, what stands before its `@`, your username or the name of this product */
    newPassword: string;
}

/** A conversation, as you see it */
export interface Conversation {
    /**
     * Format: uuid
     * Id of a conversation
     */
    id: string;
    /**
     * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
     */
    type: "direct" | "group";
    /** Null in direct conversations and where none was given */
    title: string | null;
    /** What a group is for; null where none was given */
    description: string | null;
    /** What was said so far, in short, as a member or an application wrote it; null where nobody did */
    summary: string | null;
    /**
     * `active`: all goes on; `closed`: it can be read and is listed; `archived`: it can be read and is listed where that is asked for
     */
    status: "active" | "archived" | "closed";
    /** Words of your own, in order */
    tags: string[];
    /** Up to 50 entries of your own */
    metadata: {
        [key: string]: string | number | boolean;
    };
    /** False for a group that everybody finds and may join; otherwise one is added or invited */
    isPrivate: boolean;
    /** Whether every member may invite by link; owners and admins may always */
    allowInvites: boolean;
    /**
     * What those who join from now on may read: everything, or what is said after they joined. Whoever is a member keeps what they could read
     */
    historyVisibility: "all" | "sinceJoined";
    /** Messages are deleted when they are this old; null: never */
    messageRetentionDays: number | null;
    /** `seq` of the oldest message that is kept; more than `lastSeq` when there is none. What is older is gone, and what answers it has no `replyTo` any more */
    firstSeq: number;
    /**
     * Format: uuid
     * Who created it
     */
    createdBy: string;
    /**
     * Format: date-time
     * When it was created: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Your own role
     */
    role: "owner" | "admin" | "member";
    /** How many members there are, you included */
    memberCount: number;
    /** The first 10 who joined; `conversations.listMembers` has all */
    members: Member[];
    /** The newest message; null when there is none */
    lastMessage: Message | null;
    /** `seq` of the newest message; 0 when there is none */
    lastSeq: number;
    /** How many messages there are in the whole conversation, less those that are deleted; how many of them are for you to see, `messages.list` says as `total` */
    messageCount: number;
    /** Number of the last change, read marks included: a cursor for the socket and for `sync.pull` */
    changeSeq: number;
    /** Up to where you have read */
    readSeq: number;
    /** What is read beyond `readSeq`, in order: `[[43, 43], [45, 47]]` are four messages */
    readRanges: number[][];
    /** You want no notifications of it */
    muted: boolean;
    /** It stands first in your list where that is asked for */
    pinned: boolean;
    /** Exactly how many messages you have not read, less those that are deleted */
    unreadCount: number;
    /**
     * Format: date-time
     * When there was last a message, or a change of the conversation or its members; read marks do not move it
     */
    updatedAt: string;
}

/** You have become a member of a conversation that this socket does not get */
export interface ConversationJoinedEvent {
    /**
     * What kind of frame this is
     */
    type: "conversation.joined";
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * The conversation
         */
        conversationId: string;
    };
}

/** Your read mark in one of several conversations */
export interface ConversationReadMark {
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** Every message up to this `seq` is read */
    readSeq: number;
    /** What is read beyond `readSeq`, in order: `[[43, 43], [45, 47]]` are four messages */
    readRanges: number[][];
    /** Exactly how many messages you have not read, less those that are deleted */
    unreadCount: number;
}

/** The conversation that was asked for */
export interface ConversationResult {
    /** As it is now */
    conversation: Conversation;
}

/** What of a conversation is the same for every member */
export interface ConversationState {
    /**
     * Format: uuid
     * Id of a conversation
     */
    id: string;
    /**
     * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
     */
    type: "direct" | "group";
    /** Null in direct conversations and where none was given */
    title: string | null;
    /** What a group is for; null where none was given */
    description: string | null;
    /** What was said so far, in short, as a member or an application wrote it; null where nobody did */
    summary: string | null;
    /**
     * `active`: all goes on; `closed`: it can be read and is listed; `archived`: it can be read and is listed where that is asked for
     */
    status: "active" | "archived" | "closed";
    /** Words of your own, in order */
    tags: string[];
    /** Up to 50 entries of your own */
    metadata: {
        [key: string]: string | number | boolean;
    };
    /** False for a group that everybody finds and may join; otherwise one is added or invited */
    isPrivate: boolean;
    /** Whether every member may invite by link; owners and admins may always */
    allowInvites: boolean;
    /**
     * What those who join from now on may read: everything, or what is said after they joined. Whoever is a member keeps what they could read
     */
    historyVisibility: "all" | "sinceJoined";
    /** Messages are deleted when they are this old; null: never */
    messageRetentionDays: number | null;
    /** `seq` of the oldest message that is kept; more than `lastSeq` when there is none. What is older is gone, and what answers it has no `replyTo` any more */
    firstSeq: number;
    /**
     * Format: uuid
     * Who created it
     */
    createdBy: string;
    /**
     * Format: date-time
     * When it was created: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** A conversation was changed */
export interface ConversationUpdatedEvent {
    /**
     * What kind of frame this is
     */
    type: "conversation.updated";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** As it is now */
        conversation: ConversationState;
    };
}

/** Say up to where messages have reached your device */
export interface ConversationsMarkDeliveredCommand {
    /**
     * What kind of frame this is
     */
    type: "conversations.markDelivered";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /** Every message up to this one has reached your device; beyond the newest means the newest; a mark never moves back */
        seq: number;
    };
}

/** Mark as read up to a message */
export interface ConversationsMarkReadCommand {
    /**
     * What kind of frame this is
     */
    type: "conversations.markRead";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /** Every message up to this one is read; beyond the newest means the newest; a mark never moves back */
        seq: number;
    };
}

/** Send a message */
export interface ConversationsSendMessageCommand {
    /**
     * What kind of frame this is
     */
    type: "conversations.sendMessage";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /** The text: up to 10,000 characters; empty or left out only where there are attachments */
        content?: string;
        /** Files that you have uploaded and not sent yet, up to 10: they become this message's */
        attachments?: string[];
        /**
         * Format: uuid
         * The message that it answers: one of this conversation that you can see and that is not deleted
         */
        replyTo?: string;
        /** Whom it addresses: members of the conversation, up to 50 */
        mentions?: string[];
        /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
        clientId?: string;
        /** Up to 50 entries of your own */
        metadata?: {
            [key: string]: string | number | boolean;
        };
    };
}

/** Say that you are typing, or not any more */
export interface ConversationsSetTypingCommand {
    /**
     * What kind of frame this is
     */
    type: "conversations.setTyping";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /** False when it is over */
        typing: boolean;
    };
}

/** A session that goes on by a cookie */
export interface CookieSession {
    /** Who is signed in */
    user: User;
    /**
     * Format: date-time
     * When the cookie stops working at the latest: ISO 8601, UTC
     */
    expiresAt: string;
}

/** The key to create */
export interface CreateApiKeyRequest {
    /** What it is for: 1–100 characters */
    name: string;
    /**
     * `read`: what only reads; `write`: what its user may do, but for sign-in, passwords, keys and leaving; `admin`: what administrators may do as well
     */
    scope: "read" | "write" | "admin";
    /**
     * Format: date-time
     * When it shall stop working, in the future: ISO 8601; never unless said otherwise
     */
    expiresAt?: string;
}

/** A conversation to begin */
export interface CreateConversationRequest {
    /**
     * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
     */
    type: "direct" | "group";
    /** The others; exactly one in a direct conversation */
    memberIds: string[];
    /** Groups only: 1–200 characters, of which some can be seen */
    title?: string;
    /** Groups only: what it is for, 1–2,000 characters */
    description?: string;
    /** What was said so far, in short: 1–2,000 characters */
    summary?: string;
    /** Up to 20 words of your own, in order */
    tags?: string[];
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
    /** Groups only: whether nobody finds it who is no member */
    isPrivate?: boolean;
    /** Groups only: whether every member may invite by link */
    allowInvites?: boolean;
    /**
     * Groups only: what those who join from now on may read
     */
    historyVisibility?: "all" | "sinceJoined";
    /** Groups only: messages are really deleted when they are this old; null: never */
    messageRetentionDays?: number | null;
    /** The first message, from you; the conversation shows it as `lastMessage` */
    initialMessage?: {
        /** What it says */
        content: string;
    };
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
}

/** What the link leads to, and for how long */
export interface CreateFileLinkRequest {
    /**
     * The small picture instead of the file: WebP, 320 × 320 pixels at most
     * @default false
     */
    thumbnail?: boolean;
    /**
     * How long it works
     * @default 300
     */
    expiresInSeconds?: number;
}

/** An invite to make */
export interface CreateInviteRequest {
    /**
     * A minute to a year; a week when left out; null: without end
     * @default 604800
     */
    expiresInSeconds?: number | null;
    /** How many may join by it; any number when left out */
    maxUses?: number;
}

/** Whom to create. There is no password in it: the user is mailed a code, and sets one by `auth.forgotPassword` if they want one */
export interface CreateUserRequest {
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
    /** 3–32 letters, digits, `_`, `.`, `-`; unique in any letter case */
    username?: string;
    /** What others see: 1–100 characters */
    displayName?: string;
    /** 1–100 characters */
    firstName?: string;
    /** 1–100 characters */
    lastName?: string;
    /** International format: `+` and 7–15 digits */
    phone?: string;
    /** 6–20 letters and digits */
    companyCustomerId?: string;
    /**
     * What the user may do; `user` unless said otherwise
     */
    role?: "user" | "admin";
    /** You know that the address is theirs; false unless said otherwise */
    emailVerified?: boolean;
    /** Why, in words: up to 500 characters */
    reason?: string;
}

/** A new key */
export interface CreatedApiKey {
    /** The key, as it is listed */
    apiKey: ApiKey;
    /** The key itself, `pk_…`, for `Authorization: Bearer` or `X-Api-Key`; it is never shown again */
    key: string;
}

/** The last `changeSeq` you hold, by conversation id; 0 where you hold nothing: then from where you joined */
export interface Cursors {
    [key: string]: number;
}

/** That you really want this */
export interface DeleteMeRequest {
    /**
     * Format: email
     * The address of the account, so that it is not deleted by mistake
     */
    confirmEmail: string;
    /** Why, in words: up to 500 characters */
    reason?: string;
}

/** Why */
export interface DeleteUserRequest {
    /** Why, in words: up to 500 characters */
    reason?: string;
}

/** Messages have reached a member's device */
export interface DeliveredEvent {
    /**
     * What kind of frame this is
     */
    type: "delivered";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * Whose device
         */
        userId: string;
        /** Every message up to this `seq` has reached a device, as far as it said so */
        deliveredSeq: number;
    };
}

/** Your delivery mark in a conversation */
export interface DeliveryMark {
    /** Every message up to this `seq` has reached a device, as far as it said so */
    deliveredSeq: number;
}

/** The answer to a command that failed */
export interface ErrorFrame {
    /**
     * What kind of frame this is
     */
    type: "error";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What went wrong */
    error: ApiError;
}

/** The body of every failure */
export interface ErrorResponse {
    /** What went wrong */
    error: ApiError;
}

/** A piece of an excerpt. All of them, one after another, are the excerpt */
export interface ExcerptPart {
    /** Plain text: to be shown as it is, never as HTML */
    text: string;
    /** Whether it is what was searched for */
    marked: boolean;
}

/** A one-time code, and the proof that the one who exchanges it is the one who began */
export interface ExchangeOAuthRequest {
    /** The one-time `code` that the browser came back with; valid for a minute */
    code: string;
    /** What `codeChallenge` was made of (RFC 7636, section 4.1) */
    codeVerifier: string;
}

/** One field of a request that is wrong */
export interface FieldError {
    /** Where: `body.email`, `query.limit`, `params.conversationId` */
    field: string;
    /** What is wrong with it, for a person */
    reason: string;
}

/** An address of a file that works without a header, as in `<img>` */
export interface FileLink {
    /** The path on this server: put it behind its address */
    url: string;
    /**
     * Format: date-time
     * When it ends: ISO 8601, UTC, milliseconds
     */
    expiresAt: string;
}

/** Whose password is forgotten */
export interface ForgotPasswordRequest {
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
}

/** A conversation that was found */
export interface FoundConversation {
    /** The conversation, in short */
    conversation: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        id: string;
        /**
         * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
         */
        type: "direct" | "group";
        /** Null for a direct conversation, and a group without one */
        title: string | null;
        /**
         * `active`: all goes on; `closed`: it can be read and is listed; `archived`: it can be read and is listed where that is asked for
         */
        status: "active" | "archived" | "closed";
        /** Of a direct conversation; null for a group */
        otherMember: UserSummary | null;
    };
    /**
     * What the excerpt is of; `member`: the name of the other one of a direct conversation
     */
    matchedField: "title" | "summary" | "description" | "member" | "message";
    /** Where it was found, at most some 200 characters, in pieces of which some are marked, none where a title or name is only like it; `…` stands where it was cut */
    excerpt: ExcerptPart[];
    /** How well it fits, compared with others of this search; results come in this order, and of two that fit equally well the later one comes first */
    relevanceScore: number;
    /** How many messages there are, less those that are deleted */
    messageCount: number;
    /**
     * Format: date-time
     * When something was last said or changed: ISO 8601, UTC
     */
    lastActivity: string;
    /** The message that fits best; null when it was found by something else alone */
    matchedMessage: Message | null;
}

/** A message that was found */
export interface FoundMessage {
    /** As it is now */
    message: Message;
    /** Where it was said */
    conversation: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        id: string;
        /**
         * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
         */
        type: "direct" | "group";
        /** Null for a direct conversation, and a group without one */
        title: string | null;
    };
    /** Where it was found, at most some 200 characters, in pieces of which some are marked, none where a title or name is only like it; `…` stands where it was cut */
    excerpt: ExcerptPart[];
    /** How well it fits, compared with others of this search; results come in this order, and of two that fit equally well the later one comes first */
    relevanceScore: number;
}

/** Too much was missed to send it here */
export interface GapEvent {
    /**
     * What kind of frame this is
     */
    type: "gap";
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /** Your cursor: ask `sync.pull` from here */
        fromChangeSeq: number;
        /** Where the conversation stands now */
        changeSeq: number;
        /** How many change numbers are newer than what you hold; not a number of messages: some are of other changes, or of ones that later ones replaced */
        missed: number;
    };
}

/** The message that was asked for, and how far it has come */
export interface GetMessageResult {
    /** As it is now */
    message: Message;
    /**
     * The least that any of the other members has; `sent` where there are none. `messages.listReceipts` has it member by member
     */
    status: "sent" | "delivered" | "read";
}

/** A conversation of the resume is not yours any more */
export interface GoneEvent {
    /**
     * What kind of frame this is
     */
    type: "gone";
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * The conversation; forget its cursor
         */
        conversationId: string;
    };
}

/** A process that is alive */
export interface Health {
    /**
     * Always this word: a process that is not healthy does not answer
     */
    status: "healthy";
    /**
     * Format: date-time
     * When this was asked: ISO 8601, UTC, milliseconds
     */
    timestamp: string;
    /** How long the process has been running */
    uptimeSeconds: number;
    /**
     * `NODE_ENV` of the server
     */
    environment: "development" | "test" | "production";
}

/** The socket is subscribed */
export interface HelloEvent {
    /**
     * What kind of frame this is
     */
    type: "hello";
    /** What the event tells */
    data: {
        /** The server pings this often; a ping unanswered until the next one ends the connection */
        heartbeatSeconds: number;
        /** A longer frame from the client ends the connection with code 1009 */
        maxFrameBytes: number;
        /** The present `changeSeq` of the conversations that this socket gets, by id; at most 1,000 in one frame */
        positions: Positions;
        /** Whether there are more: the next frame is `positions`, or the answer to `subscribe` */
        hasMore: boolean;
    };
}

/** An invite to a group: it works, while the group is active, until it expires, is used up or revoked; it ends for good when whoever made it leaves or may not invite any more */
export interface Invite {
    /**
     * Format: uuid
     * Id of an invite
     */
    id: string;
    /** What `conversations.acceptInvite` takes; put it into a link of yours */
    code: string;
    /**
     * Format: uuid
     * Who made it
     */
    createdBy: string;
    /**
     * Format: date-time
     * When it was made: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * Until when it lets somebody in: ISO 8601, UTC; null: without end
     */
    expiresAt: string | null;
    /** How many may join by it; null: any number */
    maxUses: number | null;
    /** How many have joined by it */
    uses: number;
}

/** What one sees of a group before one accepts an invite to it */
export interface InvitePreview {
    /** What the group is called; null where nobody said */
    title: string | null;
    /** What the group is for; null where nobody said */
    description: string | null;
    /** How many members it has */
    memberCount: number;
    /**
     * Format: date-time
     * Until when it lets somebody in: ISO 8601, UTC; null: without end
     */
    expiresAt: string | null;
}

/** An invite that was made */
export interface InviteResult {
    /** What was made */
    invite: Invite;
}

/** Who signs in, with the password */
export interface LoginRequest {
    /** E-mail address or username */
    identifier: string;
    /** The one that was given when registering */
    password: string;
}

/** Up to where messages have reached your device */
export interface MarkDeliveredRequest {
    /** Every message up to this one has reached your device; beyond the newest means the newest; a mark never moves back */
    seq: number;
}

/** Exactly which messages you have read */
export interface MarkMessagesReadRequest {
    /** Messages of any of your conversations */
    messageIds: string[];
}

/** Where your marks stand */
export interface MarkMessagesReadResult {
    /** One for each conversation of the messages */
    marks: ConversationReadMark[];
}

/** Up to where you have read */
export interface MarkReadRequest {
    /** Every message up to this one is read; beyond the newest means the newest; a mark never moves back */
    seq: number;
}

/** A member of a conversation */
export interface Member {
    /** Who it is */
    user: UserSummary;
    /**
     * In a group: owners do everything, and only they change roles and remove owners and admins; admins change and archive the group, add members, remove those who are neither, invite, revoke invites of others, and delete messages of others; everybody reads, writes, leaves, and deletes what is their own
     */
    role: "owner" | "admin" | "member";
    /** Every message up to this `seq` is read; what is read beyond it, `messages.listReceipts` says for each message */
    readSeq: number;
    /** Every message up to this `seq` has reached a device, as far as it said so */
    deliveredSeq: number;
    /**
     * Format: date-time
     * When the membership began: ISO 8601, UTC, milliseconds
     */
    joinedAt: string;
}

/** Somebody became a member */
export interface MemberJoinedEvent {
    /**
     * What kind of frame this is
     */
    type: "member.joined";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** The new member */
        member: Member;
    };
}

/** Somebody left or was removed */
export interface MemberLeftEvent {
    /**
     * What kind of frame this is
     */
    type: "member.left";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * Who is no member any more
         */
        userId: string;
    };
}

/** A member has another role */
export interface MemberUpdatedEvent {
    /**
     * What kind of frame this is
     */
    type: "member.updated";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** The member as it is now */
        member: Member;
    };
}

/** What a conversation is to you and to nobody else */
export interface Membership {
    /** You want no notifications of it */
    muted: boolean;
    /** It stands first in your list where that is asked for */
    pinned: boolean;
}

/** You have changed what a conversation is to you */
export interface MembershipUpdatedEvent {
    /**
     * What kind of frame this is
     */
    type: "membership.updated";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** You want no notifications of it */
        muted: boolean;
        /** It stands first in your list where that is asked for */
        pinned: boolean;
    };
}

/** A message, as it is stored */
export interface Message {
    /**
     * Format: uuid
     * Id of a message
     */
    id: string;
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** Position in the conversation: 1, 2, 3 … without holes; the order of messages */
    seq: number;
    /** The conversation's number of this message's last change */
    changeSeq: number;
    /**
     * Format: uuid
     * Who sent it
     */
    senderId: string;
    /**
     * `file`: it has attachments; there may be more kinds later
     */
    type: "text" | "file";
    /** The text, exactly as it was sent, or edited last; may be empty where there are attachments */
    content: string;
    /** The `clientId` it was sent with; of the first message of `conversations.create` a name that follows from the one of the creation; null when there was none, or it is deleted */
    clientId: string | null;
    /** Up to 50 entries of your own */
    metadata: {
        [key: string]: string | number | boolean;
    };
    /** What it answers; null when that is nothing, or older than the group keeps messages or than you may see */
    replyTo: ReplyTo | null;
    /** Whom it addresses */
    mentions: string[];
    /** Its files, in the order in which they were given */
    attachments: Attachment[];
    /** By kind, in the order in which each was first used */
    reactions: Reaction[];
    /**
     * Format: date-time
     * When the server stored it: ISO 8601, UTC, milliseconds; never earlier than that of the message before
     */
    createdAt: string;
    /**
     * Format: date-time
     * When it was edited last: ISO 8601, UTC; null for one that was not
     */
    editedAt: string | null;
    /**
     * Format: date-time
     * When it was deleted, and all that it held with it: ISO 8601, UTC; null for one that was not
     */
    deletedAt: string | null;
}

/** A message was sent */
export interface MessageCreatedEvent {
    /**
     * What kind of frame this is
     */
    type: "message.created";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** The new message */
        message: Message;
    };
}

/** A message was deleted */
export interface MessageDeletedEvent {
    /**
     * What kind of frame this is
     */
    type: "message.deleted";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** What is left of it */
        message: Message;
    };
}

/** Somebody addresses you */
export interface MessageMentionedEvent {
    /**
     * What kind of frame this is
     */
    type: "message.mentioned";
    /** What the event tells */
    data: {
        /** The message that mentions you */
        message: Message;
    };
}

/** The message that was asked for */
export interface MessageResult {
    /** As it is now */
    message: Message;
}

/** A message is different now */
export interface MessageUpdatedEvent {
    /**
     * What kind of frame this is
     */
    type: "message.updated";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /** As it is now */
        message: Message;
    };
}

/** What a message said before it was edited */
export interface MessageVersion {
    /** 1 is what was sent */
    version: number;
    /** What it said */
    content: string;
    /** Up to 50 entries of your own */
    metadata: {
        [key: string]: string | number | boolean;
    };
    /** Whom it addressed */
    mentions: string[];
    /**
     * Format: date-time
     * When it was written: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** Where else one can sign in */
export interface OAuthProvider {
    /** Its name in paths: `google`, `github`, or as it is configured */
    id: string;
    /** Its name for people */
    name: string;
    /** Where to send the browser, relative to the API's address; add `redirectUri` and `codeChallenge` */
    startUrl: string;
}

/** Where else one can sign in */
export interface OAuthProviders {
    /** All that are configured */
    providers: OAuthProvider[];
}

/** Are you there? */
export interface PingCommand {
    /**
     * What kind of frame this is
     */
    type: "ping";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: Record<string, never>;
}

/** The answer to `ping` */
export interface PongEvent {
    /**
     * What kind of frame this is
     */
    type: "pong";
    /** What the event tells */
    data: Record<string, never>;
}

/** The present `changeSeq` of conversations of yours, by their ids */
export interface Positions {
    [key: string]: number;
}

/** Where more conversations stand */
export interface PositionsEvent {
    /**
     * What kind of frame this is
     */
    type: "positions";
    /** What the event tells */
    data: {
        /** The present `changeSeq` of these conversations */
        positions: Positions;
        /** Whether there are more: the next frame is `positions`, or the answer to `subscribe` */
        hasMore: boolean;
    };
}

/** Whether somebody is there */
export interface Presence {
    /**
     * Format: uuid
     * Id of a user
     */
    userId: string;
    /**
     * `online`, or the `away` or `busy` that the user has set, while a socket is open; otherwise `offline`
     */
    status: "online" | "away" | "busy" | "offline";
    /**
     * Format: date-time
     * When the user had a socket open last, to some seconds: ISO 8601, UTC; null if never, or not for you to see
     */
    lastSeen: string | null;
}

/** Somebody came, went, or set another presence */
export interface PresenceChangedEvent {
    /**
     * What kind of frame this is
     */
    type: "presence.changed";
    /** What the event tells */
    data: Presence;
}

/** A group that everybody may join */
export interface PublicGroup {
    /**
     * Format: uuid
     * Id of a conversation
     */
    id: string;
    /** What the group is called; null where nobody said */
    title: string | null;
    /** What the group is for; null where nobody said */
    description: string | null;
    /** Words that its owners and admins have given it */
    tags: string[];
    /** How many members it has */
    memberCount: number;
    /**
     * Format: date-time
     * When it was created: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * When there was last a message, or a change of the group or its members
     */
    updatedAt: string;
}

/** Where you stand */
export interface PullRequest {
    /** What you hold; without it only `positions` are told */
    cursors?: Cursors;
    /**
     * Changes per answer
     * @default 500
     */
    limit?: number;
}

/** What changed since your cursors */
export interface PullResult {
    /** In order within each conversation; the present state of what changed */
    changes: Change[];
    /** The cursors of the request, moved past these changes */
    cursors: Positions;
    /** The present `changeSeq` of every conversation of yours, by its id */
    positions: AllPositions;
    /** Conversations of the request that are not yours any more */
    gone: string[];
    /** Whether there is more: ask again with the new cursors */
    hasMore: boolean;
}

/** All reactions of one kind to a message */
export interface Reaction {
    /** What was reacted with */
    emoji: string;
    /** How many reacted with it */
    count: number;
    /** The first 20 of them; `messages.listReactions` has all */
    userIds: string[];
}

/** A member has read messages */
export interface ReadEvent {
    /**
     * What kind of frame this is
     */
    type: "read";
    /**
     * Format: uuid
     * Id of a conversation
     */
    conversationId: string;
    /** The conversation's number of this change */
    changeSeq: number;
    /** The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it */
    previousChangeSeq?: number;
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * Who has read
         */
        userId: string;
        /** Every message up to this `seq` is read */
        readSeq: number;
        /** What is read beyond `readSeq`, in order: `[[43, 43], [45, 47]]` are four messages */
        readRanges: number[][];
    };
}

/** Your read mark in a conversation */
export interface ReadMark {
    /** Every message up to this `seq` is read */
    readSeq: number;
    /** What is read beyond `readSeq`, in order: `[[43, 43], [45, 47]]` are four messages */
    readRanges: number[][];
    /** Exactly how many messages you have not read, less those that are deleted */
    unreadCount: number;
}

/** Whether the server can do its work */
export interface Readiness {
    /**
     * `ready` when the server can do its work: the database and the jobs are up
     */
    status: "ready" | "not_ready";
    /**
     * Format: date-time
     * When this was asked: ISO 8601, UTC, milliseconds
     */
    timestamp: string;
    /** Each dependency */
    services: {
        /**
         * PostgreSQL
         */
        database: "up" | "down";
        /**
         * What does the work that outlives its request, such as mail
         */
        jobs: "up" | "down";
        /**
         * What processes tell each other over: live events by PostgreSQL or Redis, and revocations, blocks and presence by PostgreSQL. While it is down these arrive some seconds later
         */
        bus: "up" | "down";
        /**
         * What keeps files: the disk or S3. While it is down files can neither be uploaded nor read
         */
        storage: "up" | "down";
    };
}

/** The resume is complete */
export interface ReadyEvent {
    /**
     * What kind of frame this is
     */
    type: "ready";
    /** What the event tells */
    data: {
        /** Where the conversations of the resume stand now, by id */
        cursors: Positions;
    };
}

/** How far a message has come with one member */
export interface Receipt {
    /** A member, not the sender */
    user: UserSummary;
    /**
     * `sent`: it is stored; `delivered`: it has reached a device; `read`: it is read
     */
    status: "sent" | "delivered" | "read";
}

/** The token to exchange */
export interface RefreshRequest {
    /** Opaque; valid for 7 days, once: every refresh returns the next one */
    refreshToken: string;
}

/** Who registers; the address alone is enough */
export interface RegisterRequest {
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
    /** 8–128 characters, as in `auth.resetPassword`; without it, sign in by mailed codes */
    password?: string;
    /** 3–32 letters, digits, `_`, `.`, `-`; unique in any letter case */
    username?: string;
    /** What others see: 1–100 characters */
    displayName?: string;
    /** For yourself: others do not see it */
    firstName?: string;
    /** For yourself: others do not see it */
    lastName?: string;
    /** International format: `+` and 7–15 digits */
    phone?: string;
    /** 6–20 letters and digits */
    companyCustomerId?: string;
}

/** Who has registered */
export interface RegisterResult {
    /** You, as you are registered */
    user: User;
}

/** The message that is answered, as it is when you read this. Its later changes are told of it, not of its answers: whoever keeps messages takes a new `excerpt` from the `message.updated` or `message.deleted` whose message is `messageId` */
export interface ReplyTo {
    /**
     * Format: uuid
     * Id of a message
     */
    messageId: string;
    /** Its place in the conversation */
    seq: number;
    /**
     * Format: uuid
     * Who sent it
     */
    senderId: string;
    /** The first 100 characters (code points) of what it says; null once it is deleted */
    excerpt: string | null;
}

/** Where to mail a code */
export interface RequestCodeRequest {
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
}

/** A mailed token, and the password to have from now on */
export interface ResetPasswordRequest {
    /** The token that was mailed; valid for 15 minutes, once */
    token: string;
    /** 8–128 characters, none of the commonest passwords, and without your address, what stands before its `@`, your username or the name of this product */
    password: string;
}

/** Send me what is newer than my cursors */
export interface ResumeCommand {
    /**
     * What kind of frame this is
     */
    type: "resume";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /** What you hold, of the conversations that are behind */
        cursors: Cursors;
    };
}

/** Which sessions to end */
export interface RevokeAllRequest {
    /** Leave the session that asks; false unless said otherwise */
    exceptCurrent?: boolean;
}

/** What was ended */
export interface RevokeAllResult {
    /** How many sessions ended */
    revokedCount: number;
}

/** Why */
export interface RevokeUserSessionsRequest {
    /** Why, in words: up to 500 characters */
    reason?: string;
}

/** An account that is going to be erased */
export interface ScheduledDeletion {
    /**
     * Format: date-time
     * When the account will be erased: ISO 8601, UTC
     */
    deletionAt: string;
}

/** Something that happened to an account */
export interface SecurityEvent {
    /**
     * Format: uuid
     * Id of a security event
     */
    id: string;
    /**
     * What happened
     */
    type: "sign_in_succeeded" | "sign_in_failed" | "sign_in_locked" | "new_device" | "session_revoked" | "sessions_revoked" | "refresh_token_reused" | "code_requested" | "email_verified" | "password_reset_requested" | "password_reset" | "password_changed" | "oauth_account_linked" | "oauth_code_reused" | "api_key_created" | "api_key_revoked" | "role_changed" | "user_suspended" | "user_unsuspended" | "deletion_scheduled" | "deletion_cancelled";
    /**
     * How much it matters: `critical` asks for action, `low` is a matter of course
     */
    severity: "critical" | "high" | "medium" | "low";
    /**
     * Format: uuid
     * Whose account it is about; null when that is nobody's
     */
    userId: string | null;
    /** The address that the request came from; null when there was no request */
    ip: string | null;
    /** What else is known, by name: up to 20 small facts */
    metadata: {
        [key: string]: string | number | boolean | null;
    };
    /**
     * Format: date-time
     * When it happened: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** How many security events there were */
export interface SecurityStats {
    /** All events of the time */
    total: number;
    /** How many of each type, the types that occurred */
    byType: {
        [key: string]: number;
    };
    /** How many of each severity */
    bySeverity: {
        /** How many critical ones */
        critical: number;
        /** How many high ones */
        high: number;
        /** How many medium ones */
        medium: number;
        /** How many low ones */
        low: number;
    };
    /** How many on each day, the oldest first, days without one as well */
    byDay: {
        /**
         * Format: date
         * The day in UTC
         */
        day: string;
        /** How many on that day */
        count: number;
    }[];
}

/** A message to a user */
export interface SendDirectMessageRequest {
    /**
     * Format: uuid
     * Whom to write to; the direct conversation is found or made
     */
    recipientId: string;
    /** The text: up to 10,000 characters; empty or left out only where there are attachments */
    content?: string;
    /** Files that you have uploaded and not sent yet, up to 10: they become this message's */
    attachments?: string[];
    /**
     * Format: uuid
     * The message that it answers: one of this conversation that you can see and that is not deleted
     */
    replyTo?: string;
    /** Whom it addresses: members of the conversation, up to 50 */
    mentions?: string[];
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
}

/** A message to a conversation */
export interface SendMessageRequest {
    /** The text: up to 10,000 characters; empty or left out only where there are attachments */
    content?: string;
    /** Files that you have uploaded and not sent yet, up to 10: they become this message's */
    attachments?: string[];
    /**
     * Format: uuid
     * The message that it answers: one of this conversation that you can see and that is not deleted
     */
    replyTo?: string;
    /** Whom it addresses: members of the conversation, up to 50 */
    mentions?: string[];
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
}

/** What came of a send */
export interface SendMessageResult {
    /** As it is stored; of a retry, the first one as it is now, and without `replyTo` and `reactions` for whoever does not see it any more: who is no member, or came back to a group that shows what is said since */
    message: Message;
}

/** One sign-in on one device, with all the tokens that follow from it */
export interface Session {
    /**
     * Format: uuid
     * Id of a session: one sign-in on one device, with all the tokens that follow from it
     */
    id: string;
    /** Whether it is the one that asks */
    current: boolean;
    /**
     * Whether it goes on by refresh tokens or by a cookie
     */
    kind: "token" | "cookie";
    /** Browser or program and system, as far as the request told: `Firefox on Linux`; `Unknown device` otherwise */
    device: string;
    /** The address that it was used from last; null where that is not known */
    ip: string | null;
    /**
     * Format: date-time
     * When it began: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * When it was used last, as far as tokens were refreshed or the cookie was seen (every 10 minutes while a socket is open by it): ISO 8601, UTC
     */
    lastSeen: string;
    /**
     * Format: date-time
     * When it ends unless it is used: ISO 8601, UTC
     */
    expiresAt: string;
}

/** A picture of you */
export interface SetAvatarRequest {
    /**
     * Format: binary
     * The picture: PNG, JPEG, WebP or GIF, up to 5 MiB
     */
    file: Blob;
}

/** What others shall be shown */
export interface SetPresenceRequest {
    /**
     * What others are shown while you have a socket open; `offline` hides you, and when you come and go meanwhile. It stays until you set another one
     */
    status: "online" | "away" | "busy" | "offline";
}

/** Whether you are typing */
export interface SetTypingRequest {
    /** False when it is over */
    typing: boolean;
}

/** The refresh token of a fresh sign-in, which is used up by it */
export interface StartCookieSessionRequest {
    /** Opaque; valid for 7 days, once: every refresh returns the next one */
    refreshToken: string;
    /** Whether the cookie outlives the browser, for 30 days; false unless said otherwise */
    rememberMe?: boolean;
}

/** A file that somebody uploaded */
export interface StoredFile {
    /**
     * Format: uuid
     * Id of a file
     */
    id: string;
    /** The name it was uploaded with, for display */
    name: string;
    /** What its bytes say it is */
    contentType: string;
    /** In bytes */
    sizeBytes: number;
    /** Of an image, in pixels, upright */
    width: number | null;
    /** Of an image, in pixels, upright */
    height: number | null;
    /** Whether `files.getContent` has a small picture of it */
    hasThumbnail: boolean;
    /** Of its bytes, hexadecimal */
    sha256: string;
    /**
     * Format: uuid
     * Who uploaded it
     */
    ownerId: string;
    /**
     * Format: uuid
     * Where the message is that has it; null until it is sent
     */
    conversationId: string | null;
    /** Which message that is; null until it is sent */
    seq: number | null;
    /**
     * Format: date-time
     * When it was uploaded: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** Send me these conversations alone */
export interface SubscribeCommand {
    /**
     * What kind of frame this is
     */
    type: "subscribe";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /** What to get; left out: all of yours, also those to come */
        conversationIds?: string[];
    };
}

/** From where on the socket gets what was subscribed */
export interface Subscribed {
    /** Where what was subscribed stands now; of more than a frame holds the last ones, after frames of `positions` */
    positions: Positions;
}

/** A session: the tokens to go on with */
export interface TokenPair {
    /** JWT for `Authorization: Bearer` */
    accessToken: string;
    /** Opaque; valid for 7 days, once: every refresh returns the next one */
    refreshToken: string;
    /** Until the access token expires */
    expiresInSeconds: number;
    /** Until the refresh token expires */
    refreshExpiresInSeconds: number;
    /**
     * How to send the access token
     */
    tokenType: "Bearer";
    /** Who is signed in */
    user: User;
}

/** A member is typing, or not any more */
export interface TypingEvent {
    /**
     * What kind of frame this is
     */
    type: "typing";
    /** What the event tells */
    data: {
        /**
         * Format: uuid
         * Id of a conversation
         */
        conversationId: string;
        /**
         * Format: uuid
         * Who is typing
         */
        userId: string;
        /** False when it is over */
        typing: boolean;
        /** It has ended when nothing else was said until then */
        expiresInSeconds: number;
    };
}

/** Send me no more of these conversations */
export interface UnsubscribeCommand {
    /**
     * What kind of frame this is
     */
    type: "unsubscribe";
    /** Your own, to find the answer by */
    id?: string | number;
    /** What the command takes */
    data: {
        /** What not to get any more */
        conversationIds: string[];
    };
}

/** What to change; what is left out stays as it is */
export interface UpdateConversationRequest {
    /** Groups only: 1–200 characters, of which some can be seen */
    title?: string | null;
    /** Groups only: what it is for, 1–2,000 characters */
    description?: string | null;
    /** What was said so far, in short: 1–2,000 characters */
    summary?: string | null;
    /** Up to 20 words of your own, in order */
    tags?: string[];
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
    /** Groups only: whether nobody finds it who is no member */
    isPrivate?: boolean;
    /** Groups only: whether every member may invite by link */
    allowInvites?: boolean;
    /**
     * Groups only: what those who join from now on may read
     */
    historyVisibility?: "all" | "sinceJoined";
    /** Groups only: messages are really deleted when they are this old; null: never */
    messageRetentionDays?: number | null;
    /**
     * `active`: all goes on; `closed`: it can be read and is listed; `archived`: it can be read and is listed where that is asked for
     */
    status?: "active" | "archived" | "closed";
}

/** What to change of your profile; what is left out stays as it is, and null takes it away */
export interface UpdateMeRequest {
    /** 3–32 letters, digits, `_`, `.`, `-`; unique in any letter case */
    username?: string | null;
    /** What others see: 1–100 characters; null for none */
    displayName?: string | null;
    /** For yourself: others do not see it; null for none */
    firstName?: string | null;
    /** For yourself: others do not see it; null for none */
    lastName?: string | null;
    /** International format: `+` and 7–15 digits; null for none */
    phone?: string | null;
    /** 6–20 letters and digits; null for none */
    companyCustomerId?: string | null;
    /** A few words about oneself: up to 1,000 characters */
    bio?: string | null;
    /** Where one is, in words: up to 100 characters */
    location?: string | null;
    /** IANA name, such as `America/New_York` */
    timezone?: string | null;
    /** BCP 47 language tag, such as `en-US` */
    locale?: string | null;
    /** What is left out stays as it is */
    settings?: {
        /** Whether clients notify of new messages; true unless set */
        notificationsEnabled?: boolean;
        /** Whether clients play sounds; true unless set */
        soundEnabled?: boolean;
        /**
         * How clients look; `light` unless set
         */
        theme?: "light" | "dark";
    };
}

/** What to change */
export interface UpdateMemberRequest {
    /**
     * The new role
     */
    role: "owner" | "admin" | "member";
}

/** What to change */
export interface UpdateMembershipRequest {
    /** You want no notifications of it */
    muted?: boolean;
    /** It stands first in your list where that is asked for */
    pinned?: boolean;
}

/** What to change; what is left out stays */
export interface UpdateMessageRequest {
    /** The new text: up to 10,000 characters; empty only where there are attachments */
    content?: string;
    /** Up to 50 entries of your own, in place of those that there are */
    metadata?: {
        [key: string]: string | number | boolean;
    };
    /** Whom it addresses from now on: members of the conversation, up to 50 */
    mentions?: string[];
}

/** What to change of a user, a reason alone being nothing; what is left out stays as it is, and null takes it away */
export interface UpdateUserRequest {
    /** 3–32 letters, digits, `_`, `.`, `-`; unique in any letter case */
    username?: string | null;
    /** What others see: 1–100 characters; null for none */
    displayName?: string | null;
    /** For yourself: others do not see it; null for none */
    firstName?: string | null;
    /** For yourself: others do not see it; null for none */
    lastName?: string | null;
    /** International format: `+` and 7–15 digits; null for none */
    phone?: string | null;
    /** 6–20 letters and digits; null for none */
    companyCustomerId?: string | null;
    /** A few words about oneself: up to 1,000 characters */
    bio?: string | null;
    /** Where one is, in words: up to 100 characters */
    location?: string | null;
    /** IANA name, such as `America/New_York` */
    timezone?: string | null;
    /** BCP 47 language tag, such as `en-US` */
    locale?: string | null;
    /**
     * What the user may do; all their sessions end when it changes
     */
    role?: "user" | "admin";
    /** Whether the user may not sign in; all their sessions end when it begins */
    suspended?: boolean;
    /** Why, in words: up to 500 characters */
    reason?: string;
}

/** A file to keep */
export interface UploadFileRequest {
    /**
     * Format: binary
     * The file, with its name: up to 16 MiB unless the server is configured otherwise
     */
    file: Uploadable;
}

/** You: what users see of themselves */
export interface User {
    /**
     * Format: uuid
     * Id of a user
     */
    id: string;
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
    /** Whether a code that was mailed there has been used */
    emailVerified: boolean;
    /** Unique in any letter case; null when there is none */
    username: string | null;
    /** The name to show; null when none was given */
    displayName: string | null;
    /** Null when none was given */
    firstName: string | null;
    /** Null when none was given */
    lastName: string | null;
    /** In E.164: `+` and digits; null when none was given */
    phone: string | null;
    /** Null when none was given */
    companyCustomerId: string | null;
    /** A few words about yourself; null when none were given */
    bio: string | null;
    /** Where you are, in words; null when it was not given */
    location: string | null;
    /** IANA name; null when it was not given */
    timezone: string | null;
    /** BCP 47 language tag; null when it was not given */
    locale: string | null;
    /** What your clients keep to, on every device */
    settings: UserSettings;
    /** Where the picture is, relative to the API's address: WebP, 512 × 512 pixels; another one has another address, so it may be cached for ever. Null without one */
    avatarUrl: string | null;
    /**
     * What you may do on this server: `admin` is for whoever runs it
     */
    role: "user" | "admin";
    /** Whether you can sign in with a password */
    hasPassword: boolean;
    /**
     * What others are shown while you have a socket open; `offline` hides you, and when you come and go meanwhile. It stays until you set another one
     */
    presence: "online" | "away" | "busy" | "offline";
    /**
     * Format: date-time
     * When the account will be erased, unless you sign in before: ISO 8601, UTC; null when that was not asked for
     */
    deletionAt: string | null;
    /**
     * Format: date-time
     * When you registered: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
    /**
     * Format: date-time
     * When something of this changed last: ISO 8601, UTC, milliseconds
     */
    updatedAt: string;
}

/** All that is held about you */
export interface UserExport {
    /**
     * Format: date-time
     * When: ISO 8601, UTC, milliseconds
     */
    exportedAt: string;
    /** Your profile */
    user: User;
    /** All else that is held about you, by name: `sessions`, `apiKeys`, `oauthAccounts`, `devices`, `blockedUsers`, `securityEvents`, `auditLog`, `memberships`, `messages` …; secrets are left out */
    sections: {
        [key: string]: {
            [key: string]: unknown;
        }[];
    };
}

/** What others may see of a user who is looked up */
export interface UserProfile {
    /**
     * Format: uuid
     * Id of a user
     */
    id: string;
    /** Unique in any letter case; null when there is none */
    username: string | null;
    /** The name to show; null when none was given */
    displayName: string | null;
    /** Where the picture is, relative to the API's address: WebP, 512 × 512 pixels; another one has another address, so it may be cached for ever. Null without one */
    avatarUrl: string | null;
    /** The account was erased: show it as "deleted user" */
    deleted: boolean;
    /** A few words about oneself; null when none were given */
    bio: string | null;
    /** Where one is, in words; null when it was not given */
    location: string | null;
    /**
     * `online`, or the `away` or `busy` that the user has set, while a socket is open; otherwise `offline`
     */
    status: "online" | "away" | "busy" | "offline";
    /**
     * Format: date-time
     * When the user had a socket open last, to some seconds: ISO 8601, UTC; null if never, or not for you to see
     */
    lastSeen: string | null;
    /**
     * Format: date-time
     * When the user registered: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** One member's reaction to a message */
export interface UserReaction {
    /** What was reacted with */
    emoji: string;
    /** Who reacted */
    user: UserSummary;
    /**
     * Format: date-time
     * When: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
}

/** What clients of this user keep to, on every device */
export interface UserSettings {
    /** Whether clients notify of new messages; true unless set */
    notificationsEnabled: boolean;
    /** Whether clients play sounds; true unless set */
    soundEnabled: boolean;
    /**
     * How clients look; `light` unless set
     */
    theme: "light" | "dark";
}

/** What others may see of a user, wherever one is mentioned */
export interface UserSummary {
    /**
     * Format: uuid
     * Id of a user
     */
    id: string;
    /** Unique in any letter case; null when there is none */
    username: string | null;
    /** The name to show; null when none was given */
    displayName: string | null;
    /** Where the picture is, relative to the API's address: WebP, 512 × 512 pixels; another one has another address, so it may be cached for ever. Null without one */
    avatarUrl: string | null;
    /** The account was erased: show it as "deleted user" */
    deleted: boolean;
}

/** A code, and the address that it was mailed to */
export interface VerifyEmailRequest {
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
    /** The 6 digits that were mailed; valid for 10 minutes, once, 5 tries */
    code: string;
}

export interface AuthListSessionsQuery {
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface ApiKeysListQuery {
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface UsersListQuery {
    /** How a username or display name begins, or, from three letters on, what a word of it is like */
    search?: string;
    /** Only these: up to 100 ids, separated by commas, with a `limit` that holds them; the presence of many in one call */
    ids?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** How many to skip, on the first page only; a `cursor`, which it does not go with, costs less and skips none when users come or go */
    offset?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
    /** Whether to count those that fit, as `total`, up to a limit */
    includeTotal?: boolean;
}

export interface UsersListBlockedQuery {
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface ConversationsListMembersQuery {
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
}

export interface ConversationsListQuery {
    /**
     * Only these; those that are active or closed when left out
     */
    status?: "active" | "archived" | "closed";
    /**
     * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
     */
    type?: "direct" | "group";
    /** What titles and summaries contain, or the name of the other one of a direct conversation, whatever its letter case */
    search?: string;
    /** Only those that you have muted, or only those that you have not */
    muted?: boolean;
    /** Only those with something that you have not read, or only those without */
    unread?: boolean;
    /** Whether those that you have pinned come before all others */
    pinnedFirst?: boolean;
    /**
     * When there was last a message or a change, as usual; or when it was created
     */
    sortBy?: "updatedAt" | "createdAt";
    /**
     * `desc`: the latest first, as usual
     */
    sortOrder?: "desc" | "asc";
    /** `nextCursor` of the page before */
    cursor?: string;
    /** Which page, from 1 on, instead of a `cursor`, which skips none when others come or go */
    page?: number;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
    /** Whether to count those that fit, up to 10,000: as `total`, and in headers */
    includeTotal?: boolean;
}

export interface ConversationsListInvitesQuery {
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
}

export interface ConversationsListPublicQuery {
    /** What title, description or a tag contains, whatever its letter case */
    search?: string;
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
}

export interface MessagesListQuery {
    /**
     * Format: uuid
     * Messages older than this one, newest first
     */
    before?: string;
    /**
     * Format: uuid
     * Messages newer than this one, oldest first
     */
    after?: string;
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /**
     * Only messages that have come just as far
     */
    status?: "sent" | "delivered" | "read";
    /**
     * Only messages of this type
     */
    type?: "text" | "file";
    /**
     * Format: uuid
     * Only messages of this sender
     */
    senderId?: string;
    /**
     * Format: date-time
     * Only then or later: ISO 8601
     */
    from?: string;
    /**
     * Format: date-time
     * Only before: ISO 8601
     */
    to?: string;
    /** Whether to say how many messages fit, what is left of deleted ones among them, as in the list: as `total`, and in headers. With `status`, `type` or `senderId` it is those among the newest messages that one page looks at */
    includeTotal?: boolean;
}

export interface MessagesListHistoryQuery {
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 20
     */
    limit?: number;
}

export interface MessagesListReactionsQuery {
    /** Only reactions of this kind */
    emoji?: string;
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
}

export interface MessagesListReceiptsQuery {
    /** `nextCursor` of the page before */
    cursor?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
}

export interface FilesGetContentQuery {
    /**
     * The small picture instead of the file: WebP, 320 × 320 pixels at most
     * @default false
     */
    thumbnail?: boolean;
}

export interface SearchConversationsQuery {
    /** Words that must all be there; `"a phrase"`, `-without`, `this or that` */
    q: string;
    /** Whether those that are archived are searched, too */
    includeArchived?: boolean;
    /**
     * Items per page
     * @default 10
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface SearchMessagesQuery {
    /** Words that must all be there; `"a phrase"`, `-without`, `this or that` */
    q: string;
    /**
     * Format: uuid
     * Only in this one
     */
    conversationId?: string;
    /**
     * Format: uuid
     * Only what this user has sent
     */
    senderId?: string;
    /**
     * Format: date-time
     * Only messages of this time and later: ISO 8601
     */
    from?: string;
    /**
     * Format: date-time
     * Only messages before this time: ISO 8601
     */
    to?: string;
    /**
     * Items per page
     * @default 10
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface SecurityGetStatsQuery {
    /**
     * Format: uuid
     * Only those about this user; others than administrators see their own only
     */
    userId?: string;
    /**
     * Format: date-time
     * Only then or later: ISO 8601
     */
    from?: string;
    /**
     * Format: date-time
     * Only before: ISO 8601
     */
    to?: string;
}

export interface SecurityListEventsQuery {
    /**
     * What happened
     */
    type?: "sign_in_succeeded" | "sign_in_failed" | "sign_in_locked" | "new_device" | "session_revoked" | "sessions_revoked" | "refresh_token_reused" | "code_requested" | "email_verified" | "password_reset_requested" | "password_reset" | "password_changed" | "oauth_account_linked" | "oauth_code_reused" | "api_key_created" | "api_key_revoked" | "role_changed" | "user_suspended" | "user_unsuspended" | "deletion_scheduled" | "deletion_cancelled";
    /**
     * How much it matters: `critical` asks for action, `low` is a matter of course
     */
    severity?: "critical" | "high" | "medium" | "low";
    /**
     * Format: uuid
     * Only those about this user; others than administrators see their own only
     */
    userId?: string;
    /**
     * Format: date-time
     * Only then or later: ISO 8601
     */
    from?: string;
    /**
     * Format: date-time
     * Only before: ISO 8601
     */
    to?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface AdminListUsersQuery {
    /** Beginning of an e-mail address, username or display name */
    search?: string;
    /**
     * Only those with this role
     */
    role?: "user" | "admin";
    /** Only those whose e-mail address is verified, or is not */
    verified?: boolean;
    /** Only those who are suspended, or are not */
    suspended?: boolean;
    /**
     * Format: date-time
     * Only those who registered then or later: ISO 8601
     */
    createdFrom?: string;
    /**
     * Format: date-time
     * Only those who registered before: ISO 8601
     */
    createdTo?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface AdminListAuditLogQuery {
    /**
     * What was done
     */
    action?: "user.create" | "user.update" | "user.change_role" | "user.suspend" | "user.unsuspend" | "user.revoke_sessions" | "user.delete";
    /**
     * Format: uuid
     * Only what this administrator did
     */
    actorId?: string;
    /**
     * Format: uuid
     * Only what was done to this user
     */
    targetId?: string;
    /**
     * Format: date-time
     * Only then or later: ISO 8601
     */
    from?: string;
    /**
     * Format: date-time
     * Only before: ISO 8601
     */
    to?: string;
    /**
     * Items per page
     * @default 50
     */
    limit?: number;
    /** `nextCursor` of the page before */
    cursor?: string;
}

export interface SystemAsyncapiResult {
    [key: string]: unknown;
}

export interface SystemOpenapiResult {
    [key: string]: unknown;
}

export interface SystemPostmanResult {
    [key: string]: unknown;
}
