CREATE TABLE "file_usage" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"used_bytes" bigint NOT NULL,
	CONSTRAINT "file_usage_used" CHECK ("file_usage"."used_bytes" >= 0)
);
--> statement-breakpoint
ALTER TABLE "file_usage" ADD CONSTRAINT "file_usage_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;