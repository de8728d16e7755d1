// Initiates the replica set rs0, and creates the user of Rookery. It may run again at any time: what is there stays.
//
// From the environment: MEMBERS (how many), DOMAIN (`mongodb-N` plus this is the name of member N), KEY (what the members
// authenticate each other by; empty without authentication), MONGO_USER and MONGO_PASSWORD (the user to create; empty
// for none). mongosh runs it with --nodb.
const { MEMBERS, DOMAIN, KEY = "", MONGO_USER = "", MONGO_PASSWORD = "" } = process.env;
const MINUTES = 10;

const names = Array.from({ length: Number(MEMBERS) }, (_, number) => `mongodb-${number}${DOMAIN}:27017`);

// While there is no user yet, the members' own key is the only way in: it is the password of the user `__system`.
const connectTo = (hosts, options) => {
  const key = encodeURIComponent(KEY.replace(/\s/g, ""));
  const credentials = key ? `__system:${key}@` : "";
  const auth = key ? "&authSource=local&authMechanism=SCRAM-SHA-256" : "";
  return new Mongo(`mongodb://${credentials}${hosts}/?serverSelectionTimeoutMS=5000${options}${auth}`);
};

const initiate = () => {
  const first = connectTo(names[0], "&directConnection=true").getDB("admin");
  const hello = first.runCommand({ hello: 1 });
  if (hello.setName) return print(`the replica set ${hello.setName} is there already`);
  const members = names.map((host, _id) => ({ _id, host, priority: _id === 0 ? 2 : 1 }));
  const answer = first.runCommand({ replSetInitiate: { _id: "rs0", members } });
  if (!answer.ok && answer.codeName !== "AlreadyInitialized") throw new Error(answer.errmsg);
  print(`the replica set rs0 has ${members.length} members now`);
};

const awaitPrimary = () => {
  for (const until = Date.now() + MINUTES * 60000; Date.now() < until; sleep(1000)) {
    try {
      const admin = connectTo(names.join(","), "&replicaSet=rs0").getDB("admin");
      if (admin.runCommand({ hello: 1 }).isWritablePrimary) return admin;
    } catch (error) {
      print(`no primary yet: ${error.message}`);
    }
  }
  throw new Error(`the replica set has no primary after ${MINUTES} minutes`);
};

const createUser = (admin) => {
  if (!MONGO_USER) return;
  const roles = [{ role: "readWrite", db: "rookery" }];
  const known = admin.runCommand({ usersInfo: MONGO_USER }).users.length > 0;
  const command = known ? { updateUser: MONGO_USER } : { createUser: MONGO_USER };
  const answer = admin.runCommand({ ...command, pwd: MONGO_PASSWORD, roles });
  if (!answer.ok) throw new Error(answer.errmsg);
  print(`the user ${MONGO_USER} ${known ? "has the password of the Secret" : "was created"}`);
};

initiate();
createUser(awaitPrimary());
