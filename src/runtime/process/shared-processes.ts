/**
 * The process namespaces that containers of a Pod share: that of the container which an ephemeral one targets, or with
 * `shareProcessNamespace` one for all. The latter belongs to a container of its own, which does nothing and
 * ends with the sandbox, as the pause container of other runtimes. The callers of the runtime do not see it.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import { ContainerStartError, type RuntimeContainer } from '../contract.ts';
import { containerIdOf } from '../ids.ts';
import type { HostContainerConfig, LauncherCalls } from './launcher/protocol.ts';
import { type ContainerBox, type ContainerRoot, hasOwnProcesses } from './shim/shim-request.ts';

/** The name of that container, which no container of a Pod can have. */
const PAUSE = 'POD';
/** Where its program is, if it has a root of its own. */
const PROGRAM_PATH = '/pause';

/** Whether the container only holds the namespaces of its sandbox. */
export function isPause({ name }: Pick<RuntimeContainer, 'name'>): boolean {
	return name === PAUSE;
}

/** The box of a container that joins the namespaces of the sandbox: only its view of mounts is its own. */
export function joiningBox({ hostname: _, ...box }: ContainerBox): ContainerBox {
	return { ...box, namespaces: 'm' };
}

/**
 * The container whose processes an ephemeral container with this box sees; undefined if it targets none, or sees all of the
 * machine. `states` are those of the sandbox's containers. Throws ContainerStartError.
 */
export function targetContainerOf(
	{ targetContainerId: target }: Pick<ContainerConfig, 'targetContainerId'>,
	box: ContainerBox,
	states: ReadonlyMap<string, RuntimeContainer['state']>,
): string | undefined {
	if (target === undefined || !hasOwnProcesses(box)) return undefined;
	if (states.get(target) === 'running') return target;
	throw new ContainerStartError('CreateContainerError', `container ${target} is not running`);
}

/**
 * Throws unless the container can join the one that it is to join, of which `joined` is the configuration while that runs:
 * otherwise it would have the namespaces of the machine, or the user of the other.
 */
export function checkJoin(
	config: Pick<HostContainerConfig, 'join' | 'box'> | undefined,
	joined: Pick<HostContainerConfig, 'box'> | undefined,
): void {
	if (config?.join === undefined) return;
	if (!joined) throw new Error('the container whose namespaces it joins has ended');
	if (JSON.stringify(joined.box?.idMaps) === JSON.stringify(config.box?.idMaps)) return;
	throw new Error(
		'the container whose processes it is to see runs as another user: set the runAsUser and runAsGroup of that one',
	);
}

/** What the container that holds the namespaces of a sandbox is made of. */
export interface PauseParts {
	/** The box of any container of the sandbox. */
	readonly box: ContainerBox;
	/** The folder of the launcher. */
	readonly folder: string;
	/** The path of the shim, which is its program. */
	readonly shim: string;
}

/**
 * Starts the container that holds the namespaces of the sandbox, unless it runs; resolves to its id. Rejects as
 * `startContainer` does.
 */
export async function startPause(
	launcher: Pick<LauncherCalls, 'createContainer' | 'startContainer'>,
	sandboxId: string,
	parts: PauseParts,
): Promise<string> {
	const root = parts.box.root && (await emptyRoot(parts.folder));
	for (let attempt = 0; ; attempt++) {
		const config = pauseConfig(parts, { attempt, root });
		const { state } = await launcher.createContainer(sandboxId, config);
		const id = containerIdOf(sandboxId, config);
		if (state === 'created') await launcher.startContainer(id);
		// It was killed with all processes in its namespace: the next one is for containers that start again.
		if (state !== 'exited') return id;
	}
}

/** A root with nothing but the program: containers see the root of each process that they share. */
async function emptyRoot(folder: string): Promise<ContainerRoot> {
	const root = join(folder, 'pause');
	await mkdir(root, { recursive: true, mode: 0o755 });
	return { folder: root };
}

function pauseConfig(
	{ box: { namespaces, hostname, sysctls, idMaps }, folder, shim }: PauseParts,
	{ attempt, root }: { readonly attempt: number; readonly root: ContainerRoot | undefined },
): HostContainerConfig {
	const path = process.env.PATH ?? '/usr/bin:/bin';
	return {
		name: PAUSE,
		attempt,
		image: '',
		imageRef: '',
		program: { argv: [root ? PROGRAM_PATH : shim, 'pause'], env: { PATH: path }, workingDir: '/' },
		box: {
			namespaces,
			fileSystems: [],
			mounts: root ? [{ source: shim, subPath: '', target: PROGRAM_PATH, flags: 'r' }] : [],
			noNewPrivileges: true,
			...(root && { root, readOnlyRoot: true, capabilities: '0' }),
			...(idMaps && { idMaps }),
			...(hostname !== undefined && { hostname }),
			...(sysctls && { sysctls }),
		},
		// It writes nothing, so that there is no such file.
		logPath: join(folder, 'pause.log'),
		logMaxBytes: 1,
		logMaxFiles: 2,
	};
}
