/**
 * The program of a container from its image's configuration and its Pod, as containerd makes it
 * (`containerSpecOpts`, oci.WithImageConfigArgs). Pure.
 */
import { isAbsolute, join } from 'node:path/posix';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { setOwn } from '../../base/json/json.ts';
import type { ImageConfig } from '../../image/manifests/image-config.ts';
import type { HostProgram } from '../process/launcher/protocol.ts';
import type { ImageUser } from './image-user.ts';

/** What an image says about the program to run. */
export type ImageDefaults = Pick<ImageConfig, 'entrypoint' | 'cmd' | 'env' | 'workingDir'>;

/** The PATH of an image that names none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The program of a container, whose working directory is absolute; undefined if neither the Pod nor the image names
 * one.
 */
export function imageProgramOf(
	config: Pick<ContainerConfig, 'command' | 'args' | 'env' | 'workingDir' | 'tty'>,
	image: ImageDefaults,
	given: { readonly hostname: string; readonly user: ImageUser },
): HostProgram | undefined {
	const argv = argvOf(config, image);
	if (argv.length === 0) return undefined;
	const env: Record<string, string> = {
		PATH: DEFAULT_PATH,
		HOSTNAME: given.hostname,
		...(config.tty && { TERM: 'xterm' }),
		HOME: given.user.home,
	};
	for (const entry of image.env) {
		const [name = '', ...value] = entry.split('=');
		if (name !== '') setOwn(env, name, value.join('='));
	}
	for (const { name, value } of config.env) setOwn(env, name, value);
	const workingDir = config.workingDir || image.workingDir;
	return { argv, env, workingDir: isAbsolute(workingDir) ? workingDir : join('/', workingDir) };
}

/** The Pod's `command` replaces both parts of the image; `args` alone its arguments only. */
function argvOf(
	{ command, args }: Pick<ContainerConfig, 'command' | 'args'>,
	{ entrypoint, cmd }: ImageDefaults,
): readonly string[] {
	if (command.length > 0) return [...command, ...args];
	return [...entrypoint, ...(args.length > 0 ? args : cmd)];
}
