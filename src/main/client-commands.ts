/**
 * The commands that only talk to a server. They run from a bundle of their own, without the server in it
 * (see bundle-loader.ts); a command that is missing here works as well, but starts slower.
 */
export const CLIENT_COMMANDS: readonly string[] = ['apply', 'delete', 'describe', 'get', 'logs'];
