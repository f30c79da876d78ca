SELECT id FROM nope --~ TG006
