/**
 * The commands that are only clients of a server. They run from a smaller bundle without the server (see
 * bundle-loader.ts). A command that is missing here also works, but starts slower.
 */
export const CLIENT_COMMANDS: readonly string[] = [
	'apply',
	'attach',
	'auth',
	'cp',
	'create',
	'delete',
	'describe',
	'doctor',
	'exec',
	'expose',
	'get',
	'logs',
	'port-forward',
	'proxy',
	'rollout',
	'scale',
	'set',
	'top',
];

/** The other commands of cli/, which run from the bundle with everything: they start a server, or use the store of images. */
export const LARGE_COMMANDS: readonly string[] = ['images', 'run'];
