import { KUBERNETES_VERSION } from '../../api/kubernetes-version.ts';
import type { KubectlFacts, MachineFacts } from './facts.ts';
import { blocked, type Explanation, fine, lacking, type MachineFinding, refusalText } from './finding.ts';

/** What stint itself needs: Node, processes and a data folder. Without one of them no Job can run. */
export function baseFindings(facts: MachineFacts): readonly MachineFinding[] {
	return [node(facts), processes(facts), dataFolder(facts), diskSpace(facts)];
}

/** What belongs to the use of stint, beside containers. */
export function environmentFindings(facts: MachineFacts): readonly MachineFinding[] {
	return [port(facts), zones(facts), kubectl(facts)];
}

/** The oldest Node that runs the published package. */
const OLDEST_NODE = 24;

function node({ system: { nodeVersion } }: MachineFacts): MachineFinding {
	const name = { name: 'node', title: 'Node.js' };
	if (Number(nodeVersion.split('.')[0]) >= OLDEST_NODE) return fine(name, nodeVersion);
	return blocked(name, nodeVersion, {
		because: `stint needs Node.js ${OLDEST_NODE} or newer`,
		fix: ['install it from https://nodejs.org/'],
	});
}

function processes({ system: { spawn } }: MachineFacts): MachineFinding {
	const name = { name: 'spawn', title: 'child processes' };
	if (spawn.kind !== 'refused') return fine(name, 'can be started');
	const because = spawn.code === 'EAGAIN' ? 'the limit on processes of this user (ulimit -u) is reached' : '';
	return blocked(
		name,
		`cannot be started: ${refusalText(spawn)}`,
		because === '' ? {} : { because, fix: [] },
	);
}

/** SQLite's log in shared memory does not work over a network. */
const NETWORK: ReadonlySet<string> = new Set(['nfs', 'smb', 'cifs', '9p', 'fuse']);
/** The longest path of a Unix socket, in bytes (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

function dataFolder({ dataFolder: folder, system: { program } }: MachineFacts): MachineFinding {
	const name = { name: 'dataFolder', title: 'data folder' };
	const { path, tried, trial, fileSystem, socketPathBytes } = folder;
	if (trial.kind === 'refused')
		return blocked(name, `${path} cannot be used: ${trial.detail ?? refusalText(trial)}`, {
			...(tried !== path && { because: `${tried} is the nearest folder that exists` }),
			fix: [`${program} server --data-dir FOLDER, or for ${program} run: TMPDIR=FOLDER ${program} run …`],
		});
	const kind = fileSystem === undefined ? '' : `, on ${fileSystem}`;
	if (fileSystem !== undefined && NETWORK.has(fileSystem))
		return lacking(name, `${path}${kind}`, {
			because: 'a database in a file system of a network may be damaged when the connection is lost',
			fix: [`${program} server --data-dir FOLDER, with a folder on a local disk`],
		});
	if (socketPathBytes > LONGEST_SOCKET_PATH)
		return lacking(name, `${path}${kind}`, {
			because: `the path of its socket has ${socketPathBytes} bytes, and ${LONGEST_SOCKET_PATH} are allowed: stint uses TLS instead`,
			fix: [`${program} server --data-dir FOLDER, with a shorter path`],
		});
	return fine(name, `${path}${tried === path ? '' : ' (not made yet)'}${kind}`);
}

const MIB = 1 << 20;
/** Below this the database cannot be made. */
const NO_SPACE_BYTES = 16 * MIB;
const LITTLE_SPACE_BYTES = 1024 * MIB;

function diskSpace({ dataFolder: { tried, freeBytes } }: MachineFacts): MachineFinding {
	const name = { name: 'diskSpace', title: 'free space' };
	if (freeBytes === undefined) return lacking(name, 'unknown');
	const found = `${freeBytes >= 1024 * MIB ? `${(freeBytes / 1024 / MIB).toFixed(1)} GiB` : `${Math.floor(freeBytes / MIB)} MiB`} for the data folder`;
	const cause: Explanation = {
		because: `the file system of ${tried} is nearly full`,
		fix: [`df -h ${tried}`],
	};
	if (freeBytes < NO_SPACE_BYTES) return blocked(name, found, cause);
	return freeBytes < LITTLE_SPACE_BYTES ? lacking(name, found, cause) : fine(name, found);
}

function port({ port: { number, trial }, system }: MachineFacts): MachineFinding {
	const name = { name: 'port', title: `port ${number}` };
	if (trial.kind !== 'refused') return fine(name, 'free on 127.0.0.1');
	const isUsed = trial.code === 'EADDRINUSE';
	return lacking(name, isUsed ? 'in use, perhaps by a stint server' : refusalText(trial), {
		because: isUsed ? 'another program listens on it' : 'this user may not listen on it',
		fix: [`${system.program} server --port 0`],
	});
}

function zones({ zones: { known, own, hasFiles } }: MachineFacts): MachineFinding {
	const name = { name: 'timeZones', title: 'time zones' };
	if (known < 2)
		return lacking(name, 'CronJobs with a timeZone are not scheduled', {
			because: 'Node.js was built without the data of ICU',
			fix: ['install Node.js from https://nodejs.org/'],
		});
	if (!hasFiles)
		return lacking(name, `${known} for CronJobs; this machine's is ${own}`, {
			because: '/usr/share/zoneinfo does not exist, so that programs in containers ignore TZ',
			fix: ['sudo apt-get install tzdata'],
		});
	return fine(name, `${known} for CronJobs; this machine's is ${own}`);
}

/** The oldest kubectl that stint is tested with. */
const OLDEST_KUBECTL = 27;

function kubectl({ kubectl: found, system }: MachineFacts): MachineFinding {
	const name = { name: 'kubectl', title: 'kubectl' };
	if (!found) {
		const because = `it is not on PATH; stint has commands of its own (${system.program} --help)`;
		return lacking(name, 'not found', { because, fix: [download(system)] });
	}
	const minor = minorOf(found.version);
	if (minor === undefined) return lacking(name, `${found.path} did not say its version`);
	const served = minorOf(KUBERNETES_VERSION) ?? 0;
	if (minor >= OLDEST_KUBECTL && minor <= served + 1) return fine(name, kubectlText(found, served - minor));
	return lacking(name, kubectlText(found, served - minor), {
		because: `stint serves Kubernetes 1.${served}, and is tested with kubectl from 1.${OLDEST_KUBECTL} on`,
		fix: [download(system)],
	});
}

function kubectlText({ path, version }: KubectlFacts, behind: number): string {
	const skew = behind > 1 ? `, ${behind} minor versions older than the API: \`kubectl version\` warns` : '';
	return `${version} (${path})${skew}`;
}

function download({ platform, architecture }: MachineFacts['system']): string {
	const machine = architecture === 'x64' ? 'amd64' : architecture;
	const url = `https://dl.k8s.io/release/v${KUBERNETES_VERSION}/bin/${platform}/${machine}/kubectl`;
	return `curl -LO ${url} && sudo install kubectl /usr/local/bin/kubectl`;
}

function minorOf(version: string | undefined): number | undefined {
	const [, minor] = /^v?1\.(\d{1,4})/.exec(version ?? '') ?? [];
	return minor === undefined ? undefined : Number(minor);
}
