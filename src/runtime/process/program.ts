/**
 * Maps a container to a program of the host: its image, command, environment and working directory. docs/images.md
 * describes the same rules for users.
 *
 * - Program: the Pod's `command` and `args`; the image is then only a name. Without `command`, the entry of the image
 *   table applies, with the Pod's `args` or else the entry's. A `command` that starts with one of the entry's
 *   entrypoints means the entry's program as well.
 * - A path inside an image need not exist on this machine. If an absolute path does not exist, the launcher searches
 *   the PATH for its base name when it starts the program.
 * - Environment: PATH and HOME of the user who runs stint, HOSTNAME, TERM with a tty, STINT_POD_NETWORK=pod in a Pod with a
 *   network of its own, the entry's variables, the Pod's variables, and the mark by which the launcher finds the container's processes; later ones win. Nothing
 *   else is inherited from the server, whose environment may hold secrets.
 * - Working directory: the Pod's, else the entry's, else the sandbox's own folder, which is empty at the start and
 *   removed with the sandbox.
 */
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { setOwn } from '../../base/json/json.ts';
import type { ImageEntry } from './images/image-entry.ts';
import type { HostProgram } from './launcher/protocol.ts';

/** The PATH if the user has none: the usual one of images. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Tells a program that its Pod has a network of its own: it may listen on all addresses then, while one that shares the
 * network of this machine must not be open to other machines.
 */
const POD_NETWORK = 'STINT_POD_NETWORK';

/** The variables of the host that every program gets. */
export interface HostEnvironment {
	/** The user's own PATH. */
	readonly path: string | undefined;
	/** The user's home folder. */
	readonly home: string;
}

/** The program of a container; undefined if the Pod has no `command` and the image table no `entry` for its image. */
export function programOf(
	config: ContainerConfig,
	given: {
		readonly hostname: string;
		readonly entry: ImageEntry | undefined;
		readonly host: HostEnvironment;
		/** Whether the Pod has a network of its own. */
		readonly hasNetwork?: boolean;
	},
): HostProgram | undefined {
	const argv = argvOf(config, given.entry);
	if (!argv) return undefined;
	const env: Record<string, string> = {
		PATH: absoluteOnly(given.host.path) || DEFAULT_PATH,
		HOME: given.host.home,
		HOSTNAME: given.hostname,
		...(config.tty && { TERM: 'xterm' }),
		...(given.hasNetwork && { [POD_NETWORK]: 'pod' }),
		...given.entry?.env,
	};
	for (const { name, value } of config.env) setOwn(env, name, value);
	return { argv, env, workingDir: config.workingDir || (given.entry?.workingDir ?? '') };
}

function argvOf(
	config: Pick<ContainerConfig, 'command' | 'args'>,
	entry: ImageEntry | undefined,
): readonly string[] | undefined {
	const [first, ...others] = config.command;
	if (first === undefined)
		return entry && [...entry.command, ...(config.args.length > 0 ? config.args : entry.args)];
	if (entry?.entrypoints.includes(first)) return [...entry.command, ...others, ...config.args];
	return [...config.command, ...config.args];
}

/** `path` without relative folders, which would be resolved against the sandbox's folder. */
function absoluteOnly(path = ''): string {
	return path
		.split(':')
		.filter((folder) => folder.startsWith('/'))
		.join(':');
}
