drop view last_notes;
drop index notes_of_user;
drop table notes;
