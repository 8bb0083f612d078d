/**
 * What a container means on the host: the one place that says how its image, command, environment and
 * working directory become a program.
 *
 * - Program: `command` and `args` as the Pod gives them; the image is then only a name. Without `command`
 *   it is what the image table has for the image, with the Pod's `args` or else the table's. A `command`
 *   that begins with one of the image's entrypoints in the table means that entry's program too.
 * - A path that exists in an image need not exist here: where a program given by its absolute path does
 *   not exist, one of the same name is taken from the PATH (done by the launcher, when it starts it).
 * - Environment: PATH and HOME of the user who runs stint, HOSTNAME, TERM with a tty, the table's
 *   variables, then the Pod's, and last the mark by which the launcher finds the container's processes.
 *   Nothing else of the server's own environment, which may hold secrets.
 * - Working directory: the Pod's, else the table's, else a folder of the sandbox's own, which is empty at
 *   the start and removed with the sandbox.
 */
import { setOwn } from '../../../base/json.ts';
import type { ContainerConfig } from '../runtime.ts';
import type { ImageEntry } from './image-entry.ts';
import type { HostProgram } from './protocol.ts';

/** Where programs are looked for when the user has no PATH: what images usually have. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What every program is given, whatever the Pod says. */
export interface HostEnvironment {
	/** The user's own PATH. */
	readonly path: string | undefined;
	/** The user's home folder. */
	readonly home: string;
}

/**
 * The program of a container, or undefined when the Pod names none and the image table has no `entry`
 * for its image.
 */
export function programOf(
	config: ContainerConfig,
	given: {
		readonly hostname: string;
		readonly entry: ImageEntry | undefined;
		readonly host: HostEnvironment;
	},
): HostProgram | undefined {
	const argv = argvOf(config, given.entry);
	if (!argv) return undefined;
	const env: Record<string, string> = {
		PATH: absoluteOnly(given.host.path) || DEFAULT_PATH,
		HOME: given.host.home,
		HOSTNAME: given.hostname,
		...(config.tty && { TERM: 'xterm' }),
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

/** Without its relative parts, which would mean the sandbox's folder. */
function absoluteOnly(path = ''): string {
	return path
		.split(':')
		.filter((folder) => folder.startsWith('/'))
		.join(':');
}
