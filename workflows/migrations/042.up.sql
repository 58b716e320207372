-- Notes of users, and what a user's last one is. All of it or nothing: the script is one transaction.
create table notes (
  id integer primary key,
  user_id integer not null references users (id),
  note text not null
);
create index notes_of_user on notes (user_id);
create view last_notes as select user_id, max(id) as note_id from notes group by user_id;
