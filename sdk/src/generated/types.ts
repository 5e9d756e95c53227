// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.

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

/** What went wrong */
export interface ApiError {
    /**
     * For programs; the sentence in `message` may change, this does not
     */
    code: "validation_error" | "malformed_json" | "unauthorized" | "invalid_credentials" | "invalid_code" | "forbidden" | "email_not_verified" | "token_family_compromised" | "not_found" | "method_not_allowed" | "conflict" | "payload_too_large" | "unsupported_media_type" | "upgrade_required" | "rate_limit_exceeded" | "internal_error" | "unavailable";
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

/** A numbered change of a conversation; `type` tells which */
export type Change = MessageCreatedEvent | ConversationUpdatedEvent | MemberJoinedEvent | MemberUpdatedEvent | MemberLeftEvent | ReadEvent;

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
    /** Number of the last change, read marks included: a cursor for the socket and for `sync.pull` */
    changeSeq: number;
    /** Up to where you have read */
    readSeq: number;
    /** Exactly how many messages you have not read */
    unreadCount: number;
    /**
     * Format: date-time
     * When there was last a message, or a change of title or members; read marks do not move it
     */
    updatedAt: string;
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
        /** The text: 1–10,000 characters */
        content: string;
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

/** A conversation to begin */
export interface CreateConversationRequest {
    /**
     * `direct`: two people, who have one such conversation; `group`: any number, with roles and a title
     */
    type: "direct" | "group";
    /** The others; exactly one in a direct conversation */
    memberIds: string[];
    /** Groups only: 1–200 characters */
    title?: string;
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
}

/** The last `changeSeq` you hold, by conversation id; 0 where you hold nothing: then from where you joined */
export interface Cursors {
    [key: string]: number;
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

/** One field of a request that is wrong */
export interface FieldError {
    /** Where: `body.email`, `query.limit`, `params.conversationId` */
    field: string;
    /** What is wrong with it, for a person */
    reason: string;
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
        /** The present `changeSeq` of every conversation of yours, by its id */
        positions: Positions;
    };
}

/** Who signs in, with the password */
export interface LoginRequest {
    /** E-mail address or username */
    identifier: string;
    /** The one that was given when registering */
    password: string;
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
     * In a group: owners do everything, admins change the title, add members and remove those who are neither; everybody writes
     */
    role: "owner" | "admin" | "member";
    /** Every message up to this `seq` is read */
    readSeq: number;
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
     * What kind of message it is; there may be more kinds later
     */
    type: "text";
    /** The text, exactly as it was sent */
    content: string;
    /** The `clientId` it was sent with; null when it was sent without */
    clientId: string | null;
    /** Up to 50 entries of your own */
    metadata: {
        [key: string]: string | number | boolean;
    };
    /**
     * Format: date-time
     * When the server stored it: ISO 8601, UTC, milliseconds
     */
    createdAt: string;
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

/** The present `changeSeq` of every conversation of yours, by its id */
export interface Positions {
    [key: string]: number;
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
    positions: Positions;
    /** Conversations of the request that are not yours any more */
    gone: string[];
    /** Whether there is more: ask again with the new cursors */
    hasMore: boolean;
}

/** A member has read up to a message */
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
    };
}

/** Your read mark in a conversation */
export interface ReadMark {
    /** Every message up to this `seq` is read */
    readSeq: number;
    /** Exactly how many messages you have not read */
    unreadCount: number;
}

/** Whether the server can do its work */
export interface Readiness {
    /**
     * `ready` when every dependency is up
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
    /** 8–128 characters; without it, sign in by mailed codes */
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

/** Where to mail a code */
export interface RequestCodeRequest {
    /**
     * Format: email
     * E-mail address; its letter case does not matter
     */
    email: string;
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

/** A message to a user */
export interface SendDirectMessageRequest {
    /**
     * Format: uuid
     * Whom to write to; the direct conversation is found or made
     */
    recipientId: string;
    /** The text: 1–10,000 characters */
    content: string;
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
}

/** A message to a conversation */
export interface SendMessageRequest {
    /** The text: 1–10,000 characters */
    content: string;
    /** Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists */
    clientId?: string;
    /** Up to 50 entries of your own */
    metadata?: {
        [key: string]: string | number | boolean;
    };
}

/** What came of a send */
export interface SendMessageResult {
    /** As it is stored; of a retry, the first one */
    message: Message;
}

/** Whether you are typing */
export interface SetTypingRequest {
    /** False when it is over */
    typing: boolean;
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

/** What to change */
export interface UpdateConversationRequest {
    /** The new title: 1–200 characters */
    title: string;
}

/** What to change */
export interface UpdateMemberRequest {
    /**
     * The new role
     */
    role: "owner" | "admin" | "member";
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
    /** In international format; null when none was given */
    phone: string | null;
    /** Null when none was given */
    companyCustomerId: string | null;
    /**
     * What you may do on this server: `admin` is for whoever runs it
     */
    role: "user" | "admin";
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

/** What others may see of a user */
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
