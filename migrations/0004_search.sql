-- What messages say, as the full text search has it. The column is filled by a trigger, not generated: so that a table of many messages is
-- not rewritten here, that what is deleted is in no index, and that a change of the language can go through them in batches. Messages
-- that are there already are indexed in the background. Adding the column takes no time; the indexes read their tables once.
CREATE EXTENSION IF NOT EXISTS unaccent;
--> statement-breakpoint
-- The language is set by the server (SEARCH_LANGUAGE); `search_before` is the one before, until all messages are indexed anew.
CREATE TEXT SEARCH CONFIGURATION "search" (COPY = simple);
--> statement-breakpoint
CREATE TEXT SEARCH CONFIGURATION "search_before" (COPY = simple);
--> statement-breakpoint
ALTER TEXT SEARCH CONFIGURATION "search" ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart WITH unaccent, simple;
--> statement-breakpoint
ALTER TEXT SEARCH CONFIGURATION "search_before" ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart WITH unaccent, simple;
--> statement-breakpoint
-- One row. `indexed`: every conversation and message is indexed in this language. Until then: which jobs index them (`generation`: those of the
-- latest start), and how far these have come.
CREATE TABLE "search_index" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"language" text NOT NULL,
	"indexed" boolean NOT NULL,
	"generation" bigint DEFAULT 0 NOT NULL,
	"after_conversation_id" uuid,
	"after_seq" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "search_index_only" CHECK ("only")
);
--> statement-breakpoint
INSERT INTO "search_index" ("language", "indexed") SELECT 'simple', NOT EXISTS (SELECT FROM "conversations");
--> statement-breakpoint
-- Words are runs of letters and digits: what the parser would take for an address, a path, a tag or a sign is taken apart. The sigma at the end of a
-- word is the one within. What excerpts are marked with is no letter either.
CREATE FUNCTION search_plain(content text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT translate(content, E'ς-/@.:_&+~=#%?<>\x01\x02', 'σ                 ')
$$;
--> statement-breakpoint
-- Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han), and Hangul, whose words end in particles: every two neighbours are a
-- word, and the last one is, too. A word is written as the numbers of its letters, which no parser takes apart and no language inflects: see
-- src/features/search/query.ts. Pairs are cut from the first 2,000 characters only: sends wait while that is done. After these, words of the other
-- scripts are found.
CREATE FUNCTION search_terms(content text) RETURNS tsvector LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
	letters CONSTANT text := '\u0E00-\u0EFF\u1000-\u109F\u1100-\u11FF\u1780-\u17FF\u3005-\u3007\u3040-\u30FF\u3130-\u318F\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF\uFF66-\uFFDC\U00020000-\U0003FFFF';
BEGIN
	IF content ~ ('[' || letters || ']') THEN
		RETURN to_tsvector('search', (
			SELECT string_agg(coalesce(parts[1], '') || coalesce(' ' || pairs || ' ', ''), '' ORDER BY place)
			FROM regexp_matches(search_plain(left(content, 2000)), '([^' || letters || ']+)?([' || letters || ']+)?', 'g') WITH ORDINALITY AS runs (parts, place), LATERAL (
				SELECT string_agg('j' || code || 'x' || coalesce('j' || next || 'x', ''), ' ' ORDER BY nth)
				FROM (
					SELECT ascii(letter) AS code, lead(ascii(letter)) OVER (ORDER BY nth) AS next, nth
					FROM string_to_table(parts[2], NULL) WITH ORDINALITY AS run (letter, nth)
				) coded
			) paired (pairs)
		) || regexp_replace(search_plain(substr(content, 2001)), '[' || letters || ']+', ' ', 'g'));
	END IF;
	-- Most signs stand at the end of a word, where they are none of it for the parser either: to take them out takes as long as all the rest.
	RETURN to_tsvector('search', CASE WHEN content ~ '[-/@.:_&+~=#%?<>]\S|ς' THEN search_plain(content) ELSE content END);
END $$;
--> statement-breakpoint
CREATE FUNCTION search_index_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.search := CASE WHEN NEW.deleted_at IS NULL AND NEW.content <> '' THEN search_terms(NEW.content) END;
	RETURN NEW;
END $$;
--> statement-breakpoint
-- What a conversation is called: the words of its title have the weight A, of its summary B, of its description C.
CREATE FUNCTION search_fields(title text, summary text, description text) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN coalesce(title, summary, description) IS NOT NULL THEN
		setweight(search_terms(coalesce(title, '')), 'A') || setweight(search_terms(coalesce(summary, '')), 'B') || setweight(search_terms(coalesce(description, '')), 'C')
	END
$$;
--> statement-breakpoint
CREATE FUNCTION search_index_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.search := search_fields(NEW.title, NEW.summary, NEW.description);
	RETURN NEW;
END $$;
--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "search" tsvector;
--> statement-breakpoint
-- Not when a send counts.
CREATE TRIGGER "conversations_search" BEFORE INSERT OR UPDATE OF "title", "summary", "description" ON "conversations" FOR EACH ROW EXECUTE FUNCTION search_index_conversation();
--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "search" tsvector;
--> statement-breakpoint
CREATE TRIGGER "messages_search" BEFORE INSERT OR UPDATE OF "content", "deleted_at" ON "messages" FOR EACH ROW EXECUTE FUNCTION search_index_message();
--> statement-breakpoint
-- What is new waits in a list that every search reads too; the server has it sorted in before a send would have to (gin_pending_list_limit, in kB).
CREATE INDEX "messages_search" ON "messages" USING gin ("search") WITH (gin_pending_list_limit = 32768) WHERE "search" IS NOT NULL;
