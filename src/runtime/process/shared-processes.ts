/**
 * The process namespace that the containers of a Pod share: it belongs to a container of its own, which does nothing and
 * ends with the sandbox, as the pause container of other runtimes. The callers of the runtime do not see it.
 */

import { join } from 'node:path';
import type { RuntimeContainer } from '../contract.ts';
import { containerIdOf } from '../ids.ts';
import type { HostContainerConfig, LauncherCalls } from './launcher/protocol.ts';
import type { ContainerBox } from './shim/shim-request.ts';

/** The name of that container, which no container of a Pod can have. */
const PAUSE = 'POD';

/** Runs for 68 years, the longest time that every implementation of the program takes. */
const PROGRAM = ['sleep', '2147483647'];

/** Whether the container only holds the namespaces of its sandbox. */
export function isPause({ name }: Pick<RuntimeContainer, 'name'>): boolean {
	return name === PAUSE;
}

/** The box of a container that joins the namespaces of the sandbox: only its view of mounts is its own. */
export function joiningBox({ hostname: _, ...box }: ContainerBox): ContainerBox {
	return { ...box, namespaces: 'm' };
}

/**
 * Starts the container that holds the namespaces of the sandbox, unless it runs; resolves to its id. `box` is that of any
 * container of the sandbox, and `folder` that of the launcher. Rejects as `startContainer` does.
 */
export async function startPause(
	launcher: Pick<LauncherCalls, 'createContainer' | 'startContainer'>,
	sandboxId: string,
	{ box, folder }: { readonly box: ContainerBox; readonly folder: string },
): Promise<string> {
	for (let attempt = 0; ; attempt++) {
		const config = pauseConfig({ attempt, box, folder });
		const { state } = await launcher.createContainer(sandboxId, config);
		const id = containerIdOf(sandboxId, config);
		if (state === 'created') await launcher.startContainer(id);
		// It was killed with all processes in its namespace: the next one is for containers that start again.
		if (state !== 'exited') return id;
	}
}

function pauseConfig({
	attempt,
	box: { namespaces, hostname, sysctls },
	folder,
}: {
	readonly attempt: number;
	readonly box: ContainerBox;
	readonly folder: string;
}): HostContainerConfig {
	const path = process.env.PATH ?? '/usr/bin:/bin';
	return {
		name: PAUSE,
		attempt,
		image: '',
		imageRef: '',
		program: { argv: PROGRAM, env: { PATH: path }, workingDir: '/' },
		box: {
			namespaces,
			fileSystems: [],
			mounts: [],
			noNewPrivileges: true,
			...(hostname !== undefined && { hostname }),
			...(sysctls && { sysctls }),
		},
		// It writes nothing, so that there is no such file.
		logPath: join(folder, 'pause.log'),
		logMaxBytes: 1,
		logMaxFiles: 2,
	};
}
