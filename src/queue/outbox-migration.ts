/** Replies of two kinds of channels, budgets, breakers and what the operator holds back. */
export const OUTBOX_MIGRATION = `
  ALTER TABLE tare.replies
    DROP CONSTRAINT replies_request_key,
    DROP CONSTRAINT replies_state_check,
    ADD CONSTRAINT replies_state_check CHECK (state IN
      ('held', 'pending', 'sending', 'sent', 'unknown', 'replaced', 'given up', 'discarded')),
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN kind text NOT NULL DEFAULT 'reply' CHECK (kind IN ('reply', 'correction')),
    ADD COLUMN channel text,
    ADD COLUMN topic text,
    ADD COLUMN hash text,
    ADD COLUMN scope text,
    ADD COLUMN buckets text[] NOT NULL DEFAULT '{}',
    ADD COLUMN message jsonb,
    ADD COLUMN message_id text UNIQUE,
    ADD COLUMN released_at timestamptz,
    ADD COLUMN first_tried_at timestamptz;
  UPDATE tare.replies SET channel = r.channel, topic = r.change_key, scope = r.channel || ':' || r.project,
    buckets = ARRAY[r.channel, 'comment:' || r.change_key],
    hash = encode(sha256(convert_to(replies.body, 'UTF8')), 'hex')
    FROM tare.requests r WHERE r.id = replies.request;
  ALTER TABLE tare.replies
    ALTER COLUMN channel SET NOT NULL, ALTER COLUMN topic SET NOT NULL,
    ALTER COLUMN hash SET NOT NULL, ALTER COLUMN scope SET NOT NULL;
  CREATE INDEX replies_topic ON tare.replies (topic, number);
  CREATE INDEX replies_scope ON tare.replies (scope);
  CREATE INDEX replies_request ON tare.replies (request);
  CREATE TABLE tare.writes (bucket text NOT NULL, at timestamptz NOT NULL);
  CREATE INDEX writes_bucket ON tare.writes (bucket, at);
  CREATE TABLE tare.channels (
    channel text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    opened integer NOT NULL DEFAULT 0,
    open_until timestamptz,
    paused_until timestamptz,
    why text NOT NULL DEFAULT ''
  );
  CREATE TABLE tare.reply_log (
    reply uuid NOT NULL REFERENCES tare.replies ON DELETE CASCADE,
    request uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL,
    why text NOT NULL
  );
  CREATE INDEX reply_log_reply ON tare.reply_log (reply, at);
  CREATE FUNCTION tare.log_reply() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO tare.reply_log (reply, request, state, why) VALUES (NEW.id, NEW.request, NEW.state, NEW.why);
      RETURN NULL;
    END $$;
  CREATE TRIGGER replies_made AFTER INSERT ON tare.replies
    FOR EACH ROW EXECUTE FUNCTION tare.log_reply();
  CREATE TRIGGER replies_moved AFTER UPDATE ON tare.replies
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tare.log_reply();`;
