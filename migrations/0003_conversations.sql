CREATE TABLE "invites" (
	"id" uuid PRIMARY KEY NOT NULL,
	"conversation_id" uuid NOT NULL,
	"code" text NOT NULL,
	"created_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone,
	"max_uses" integer,
	"uses" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "invites_uses" CHECK ("invites"."uses" >= 0 and "invites"."uses" <= coalesce("invites"."max_uses", "invites"."uses"))
);
--> statement-breakpoint
CREATE TABLE "file_usage" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"used_bytes" bigint NOT NULL,
	CONSTRAINT "file_usage_used" CHECK ("file_usage"."used_bytes" >= 0)
);
--> statement-breakpoint
CREATE TABLE "files" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_id" uuid NOT NULL,
	"conversation_id" uuid,
	"seq" bigint,
	"name" text NOT NULL,
	"content_type" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"width" integer,
	"height" integer,
	"has_thumbnail" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "files_message" CHECK (("files"."conversation_id" is null) = ("files"."seq" is null)),
	CONSTRAINT "files_size" CHECK ("files"."size_bytes" > 0)
);
--> statement-breakpoint
CREATE TABLE "message_versions" (
	"conversation_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"version" integer NOT NULL,
	"content" text NOT NULL,
	"metadata" json NOT NULL,
	"mentions" uuid[] NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "message_versions_conversation_id_seq_version_pk" PRIMARY KEY("conversation_id","seq","version")
);
--> statement-breakpoint
CREATE TABLE "reactions" (
	"conversation_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"emoji" text NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "reactions_conversation_id_seq_emoji_user_id_pk" PRIMARY KEY("conversation_id","seq","emoji","user_id")
);
--> statement-breakpoint
ALTER TABLE "members" DROP CONSTRAINT "members_marks";--> statement-breakpoint
ALTER TABLE "messages" DROP CONSTRAINT "messages_seq";--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "summary" text;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "description" text;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "status" text DEFAULT 'active' NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "tags" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "metadata" json DEFAULT '{}'::json NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "is_private" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "allow_invites" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "history_visibility" text DEFAULT 'all' NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "message_retention_days" integer;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "first_seq" bigint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "deleted_count" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "first_seq" bigint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "read_ranges" "int8multirange" DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "delivered_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "muted" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "pinned" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "delivered_change_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "members" ADD COLUMN "own_change_seq" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "created_change_seq" bigint;--> statement-breakpoint
UPDATE "messages" SET "created_change_seq" = "change_seq";--> statement-breakpoint
ALTER TABLE "messages" ALTER COLUMN "created_change_seq" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "type" text DEFAULT 'text' NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "reply_to_seq" bigint;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "mentions" uuid[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "attachments" json;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "reactions" json;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "edited_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "file_usage" ADD CONSTRAINT "file_usage_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_versions" ADD CONSTRAINT "message_versions_message" FOREIGN KEY ("conversation_id","seq") REFERENCES "public"."messages"("conversation_id","seq") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reactions" ADD CONSTRAINT "reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reactions" ADD CONSTRAINT "reactions_message" FOREIGN KEY ("conversation_id","seq") REFERENCES "public"."messages"("conversation_id","seq") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "invites_code_unique" ON "invites" USING btree ("code");--> statement-breakpoint
CREATE INDEX "invites_conversation" ON "invites" USING btree ("conversation_id","created_at");--> statement-breakpoint
CREATE INDEX "invites_created_by" ON "invites" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "files_owner" ON "files" USING btree ("owner_id","id");--> statement-breakpoint
CREATE INDEX "files_message" ON "files" USING btree ("conversation_id","seq") WHERE "files"."seq" is not null;--> statement-breakpoint
CREATE INDEX "reactions_user" ON "reactions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "reactions_order" ON "reactions" USING btree ("conversation_id","seq","emoji","created_at","user_id");--> statement-breakpoint
CREATE INDEX "conversations_public" ON "conversations" USING btree ("id") WHERE not "conversations"."is_private" and "conversations"."type" = 'group' and "conversations"."status" = 'active';--> statement-breakpoint
CREATE INDEX "conversations_retention" ON "conversations" USING btree ("id") WHERE "conversations"."message_retention_days" is not null;--> statement-breakpoint
CREATE INDEX "conversations_abandoned" ON "conversations" USING btree ("id") WHERE "conversations"."member_count" = 0 and "conversations"."type" = 'group';--> statement-breakpoint
CREATE INDEX "members_joined_at" ON "members" USING btree ("joined_at");--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_status" CHECK ("conversations"."status" in ('active', 'archived', 'closed'));--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_history" CHECK ("conversations"."history_visibility" in ('all', 'sinceJoined'));--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_retention" CHECK ("conversations"."message_retention_days" > 0);--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_kept" CHECK ("conversations"."first_seq" between 1 and "conversations"."last_seq" + 1 and "conversations"."deleted_count" between 0 and "conversations"."last_seq" - "conversations"."first_seq" + 1);--> statement-breakpoint
ALTER TABLE "members" ADD CONSTRAINT "members_marks" CHECK ("members"."read_seq" >= 0 and "members"."delivered_seq" >= 0 and "members"."first_seq" >= 1);--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_type" CHECK ("messages"."type" in ('text', 'file'));--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_reply" CHECK ("messages"."reply_to_seq" < "messages"."seq");--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_seq" CHECK ("messages"."seq" > 0 and "messages"."created_change_seq" >= "messages"."seq" and "messages"."change_seq" >= "messages"."created_change_seq");--> statement-breakpoint
UPDATE "conversations" c SET "deleted_count" = d."count" FROM (SELECT "conversation_id", count(*) AS "count" FROM "messages" WHERE "deleted_at" IS NOT NULL GROUP BY "conversation_id") d WHERE d."conversation_id" = c."id";
