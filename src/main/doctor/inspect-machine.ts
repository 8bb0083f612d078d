/**
 * main/doctor/: tries what this machine allows, for `stint doctor`. plan/doctor says what the facts mean.
 *
 * 1. Nothing stays: each trial removes its files, groups and processes. The data folder is not made.
 * 2. A trial that cannot be made is `untried` with its reason; no fact of a machine makes the command fail.
 */
import { mkdtempSync } from 'node:fs';
import { homedir, release, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import type { Clock } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { calledAs } from '../../cli/called-as.ts';
import type { EngineFacts, MachineFacts, SystemFacts } from '../../plan/doctor/facts.ts';
import { isAllowed } from '../../plan/doctor/finding.ts';
import { READ_SYSCTLS } from '../../plan/doctor/refusal-causes.ts';
import { findCriEndpoint } from '../../runtime/cri/client/cri-endpoint.ts';
import { findEndpoint } from '../../runtime/docker/engine/engine-endpoint.ts';
import { controllersIn, findHierarchies } from '../../runtime/process/cgroups/hierarchies.ts';
import { processTraits } from '../../runtime/process/honoured.ts';
import { tryPodNetwork } from '../../runtime/process/network/network-choice.ts';
import type { MachineProbe } from '../../runtime/process/shim/probe.ts';
import { shimFile } from '../../runtime/process/shim/shim-file.ts';
import { imageMachineOf, probeWithImages } from '../../runtime/sandbox/image-machine.ts';
import { inspectCgroups } from './cgroup-trials.ts';
import { inspectDataFolder } from './data-folder-trial.ts';
import { inspectIds } from './id-trial.ts';
import { tryIsolation } from './isolation-trials.ts';
import { findKubectl, inspectZones, tryPort, trySpawn } from './program-trials.ts';
import { isPresent, numberIn, textOf } from './system-texts.ts';

/** The options of {@link inspectMachine}. */
export interface InspectOptions {
	/** The data folder that a server would use; it need not exist. */
	readonly dataDir: string;
	/** The port that a server would use. */
	readonly port: number;
	readonly clock: Clock;
}

/** Tries what this machine allows. */
export async function inspectMachine({ dataDir, port, clock }: InspectOptions): Promise<MachineFacts> {
	const folder = inspectDataFolder(dataDir);
	const shim = shimFile();
	const storage = isAllowed(folder.trial) ? folder.tried : tmpdir();
	const probe = await probeIn(storage, { shim, clock });
	const userName = attempt(() => userInfo().username) ?? String(process.getuid?.() ?? 'this user');
	const isolation = await tryIsolation({ shim, probe, storage, clock });
	const ids = await inspectIds(userName);
	const [system, kubectl, portTrial] = await Promise.all([
		inspectSystem(userName),
		findKubectl(),
		tryPort(port),
	]);
	return {
		system,
		isolation,
		ids,
		engine: whetherPresent(findEndpoint({ env: process.env, home: homedir() })),
		cri: whetherPresent(findCriEndpoint({ env: process.env })),
		kubectl,
		podNetworks: await tryPodNetwork({ shim, machine: imageMachineOf(probe) }),
		traits: processTraits({
			isolation: probe,
			controllers: probe.level === 'none' ? new Set() : controllersIn(findHierarchies()),
			usesShim: shim !== undefined,
			hasPodNetworks: false,
		}),
		cgroups: inspectCgroups(),
		limits: {
			openFiles: hardLimit(),
			inotifyInstances: numberIn('/proc/sys/fs/inotify/max_user_instances'),
			inotifyWatches: numberIn('/proc/sys/fs/inotify/max_user_watches'),
		},
		dataFolder: folder,
		zones: inspectZones(),
		port: { number: port, trial: portTrial },
	};
}

/** What containers get. The folder of images would be made, so another one is tried beside it. */
async function probeIn(
	storage: string,
	{ shim, clock }: { readonly shim: string | undefined; readonly clock: Clock },
): Promise<MachineProbe> {
	const imageFolder = mkdtempSync(join(storage, '.stint-trial-'));
	try {
		return await probeWithImages(shim, { imageFolder, clock });
	} finally {
		await removeTree(imageFolder);
	}
}

async function inspectSystem(userName: string): Promise<SystemFacts> {
	const values = READ_SYSCTLS.map((name) => [name, textOf(`/proc/sys/${name.replaceAll('.', '/')}`).trim()]);
	return {
		platform: process.platform,
		architecture: process.arch,
		kernel: release(),
		uid: process.getuid?.(),
		userName,
		program: calledAs(),
		nodeVersion: process.versions.node,
		spawn: await trySpawn(),
		outer: outerContainer(),
		sysctls: Object.fromEntries(values.filter(([, value]) => value !== '')),
		hasSeccompFilter: /^Seccomp:\s+2$/m.test(textOf('/proc/self/status')),
		appArmorProfile: /^(\S+) \(enforce\)/.exec(textOf('/proc/self/attr/current'))?.[1],
	};
}

/** An address that the user has set may be that of an engine that does not run. */
function whetherPresent(found: EngineFacts): EngineFacts {
	if ('problem' in found || isPresent(found.socketPath)) return found;
	return { problem: `there is no socket ${found.socketPath}` };
}

/** Words the advice only: whether something is allowed is decided by trials. */
function outerContainer(): SystemFacts['outer'] {
	const { KUBERNETES_SERVICE_HOST, container } = process.env;
	if (KUBERNETES_SERVICE_HOST) return 'kubernetes';
	if (textOf('/run/.containerenv') !== '' || container === 'podman') return 'podman';
	if (isPresent('/.dockerenv')) return 'docker';
	return container ? 'other' : undefined;
}

/** See proc_pid_limits(5). Node raises its soft limit to this one. */
function hardLimit(): number | undefined {
	const [, hard = ''] = /^Max open files\s+\S+\s+(\S+)/m.exec(textOf('/proc/self/limits')) ?? [];
	if (hard === 'unlimited') return Number.POSITIVE_INFINITY;
	return hard === '' ? undefined : Number(hard);
}
