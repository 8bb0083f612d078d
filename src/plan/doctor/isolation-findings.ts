import type { MachineFacts, Trial } from './facts.ts';
import {
	type Explanation,
	type FindingName,
	fine,
	isAllowed,
	lacking,
	type MachineFinding,
	refusalText,
} from './finding.ts';
import { causeOfRefusal } from './refusal-causes.ts';
import { firstFreeRange, IDS_OF_IMAGES } from './subordinate-ranges.ts';

/** How containers are isolated, and which means of isolation the machine refuses. */
export function isolationFindings(facts: MachineFacts): readonly MachineFinding[] {
	const { userNamespaces, mounts, processes, seccomp } = facts.isolation;
	const first = containers(facts);
	// Without a shim nothing was tried, and nothing can be changed.
	if (facts.isolation.shim === undefined) return [first];
	const others = [
		ofTrial({ name: 'userNamespaces', title: 'user namespaces' }, userNamespaces, facts),
		ofTrial({ name: 'mounts', title: 'private mounts' }, mounts, facts),
		ofTrial({ name: 'processes', title: 'process namespaces' }, processes, facts),
		ofTrial({ name: 'seccomp', title: 'seccomp filters' }, seccomp, facts),
		...roots(facts),
		overlay(facts),
		...chroot(facts),
	];
	return [first, ...others.map((finding) => withoutRepetition(finding, first)), ids(facts)];
}

/** A finding that has the cause of an earlier one refers to it. */
function withoutRepetition(finding: MachineFinding, first: MachineFinding): MachineFinding {
	if (finding.because === undefined || finding.because !== first.because) return finding;
	const { because: _because, fix: _fix, ...rest } = finding;
	return { ...rest, because: `of the same cause as for ${first.title}` };
}

function containers(facts: MachineFacts): MachineFinding {
	const { isolation, system } = facts;
	const name = { name: 'containers', title: 'containers' };
	if (isolation.level === 'root')
		return fine(name, 'isolated by the shim, as root: each has views and rights of its own (level root)');
	if (isolation.level === 'user')
		return fine(
			name,
			`isolated by the shim in user namespaces, with the one id of ${system.userName} (level user)`,
		);
	if (isolation.level === 'chroot')
		return lacking(
			name,
			'with a root file system of their own if they have an image, and all else of this machine (level chroot)',
			noBox(facts),
		);
	const plain = 'plain processes of this machine, without volumes, tokens and security contexts (level none)';
	return lacking(name, plain, noBox(facts));
}

function noBox(facts: MachineFacts): Explanation {
	const { isolation, system } = facts;
	if (system.platform !== 'linux') return { because: `${system.platform} has no namespaces`, fix: [] };
	if (isolation.shim === undefined)
		return { because: `stint has no shim that can be executed here (${system.architecture})`, fix: [] };
	const { box, processes, roots } = isolation;
	return causeOf([box, processes, roots].find(({ kind }) => kind === 'refused') ?? box, facts);
}

/** The cause of a refusal, or its text if no rule knows it. */
function causeOf(trial: Trial, facts: MachineFacts): Explanation {
	if (trial.kind === 'untried') return { because: trial.why, fix: [] };
	if (trial.kind !== 'refused') return {};
	const { because = 'no file of this machine says why', fix } = causeOfRefusal(trial, facts);
	return { because: `${because} (${refusalText(trial)})`, ...(fix && { fix }) };
}

function ofTrial(name: FindingName, trial: Trial, facts: MachineFacts): MachineFinding {
	if (isAllowed(trial)) return fine(name, 'allowed');
	if (trial.kind === 'untried') return lacking(name, `not tried: ${trial.why}`);
	return lacking(name, 'refused', causeOf(trial, facts));
}

/** Named only where it is refused: other refusals explain why it is not tried. */
function roots(facts: MachineFacts): readonly MachineFinding[] {
	const trial = facts.isolation.roots;
	return trial.kind === 'refused'
		? [ofTrial({ name: 'roots', title: 'root file systems' }, trial, facts)]
		: [];
}

/** What a refusal of overlayfs means, by the code of the answer. */
function overlayCause(code: string, { system }: MachineFacts): Explanation | undefined {
	if (code === 'EINVAL')
		return {
			because:
				'the file system of the data folder cannot be the upper layer of an overlay, such as another overlay',
			fix: [`use a data folder on a volume or a tmpfs: ${system.program} server --data-dir FOLDER`],
		};
	if (code === 'ENODEV')
		return { because: 'the kernel has not loaded overlayfs', fix: ['sudo modprobe overlay'] };
	if (code === 'EPERM')
		return { because: 'a user namespace may mount overlays only from Linux 5.11 on', fix: [] };
	return undefined;
}

/** Where the kernel refuses overlays, the runtime sandbox copies the image for each container. */
function overlay(facts: MachineFacts): MachineFinding {
	const name = { name: 'overlay', title: 'overlayfs' };
	const { overlay: trial, level } = facts.isolation;
	const copies = 'each container of the runtime sandbox gets a copy of its image';
	if (trial.kind === 'allowed' && level === 'chroot') return fine(name, `allowed, but by chroot ${copies}`);
	if (trial.kind === 'allowed')
		return fine(name, 'allowed: containers of the runtime sandbox share their image');
	if (trial.kind === 'untried') return lacking(name, `not tried: ${trial.why}`);
	const known = trial.step === 'mount' ? overlayCause(trial.code, facts) : undefined;
	const cause = known
		? { ...known, because: `${known.because} (${refusalText(trial)})` }
		: causeOf(trial, facts);
	return lacking(name, `refused: ${copies}`, cause);
}

/** The right of root that the shim lacks if a step of the trial is refused. */
const CAPABILITIES: Readonly<Record<string, string>> = {
	chown: 'CAP_CHOWN',
	chroot: 'CAP_SYS_CHROOT',
	copy: 'CAP_MKNOD',
	setgroups: 'CAP_SETGID',
	setgid: 'CAP_SETGID',
	setuid: 'CAP_SETUID',
};

/** Whether images can run where nothing is isolated. An ordinary user may not call chroot. */
function chroot({ isolation: { chroot: trial }, system }: MachineFacts): readonly MachineFinding[] {
	const name = { name: 'chroot', title: 'roots by chroot' };
	if (trial.kind === 'allowed')
		return [fine(name, 'allowed: the runtime sandbox runs images with less isolation (level chroot)')];
	if (trial.kind === 'untried' || system.uid !== 0) return [];
	const capability = trial.code === 'EPERM' ? CAPABILITIES[trial.step] : undefined;
	const because =
		capability === undefined ? refusalText(trial) : `root lacks ${capability} (${refusalText(trial)})`;
	return [lacking(name, 'refused: the runtime sandbox runs no images', { because, fix: [] })];
}

function ids(facts: MachineFacts): MachineFinding {
	const name = { name: 'ids', title: 'ids of other users' };
	const { system, ids: found } = facts;
	if (system.uid === undefined) return lacking(name, 'this system has no numeric users');
	if (system.uid === 0 && ['root', 'chroot'].includes(facts.isolation.level))
		return fine(name, 'all of them, as root');
	if (system.uid === 0) return lacking(name, 'containers have the one id of root');
	const count = Math.min(found.subuids, found.subgids);
	if (count >= IDS_OF_IMAGES && isAllowed(found.newuidmap))
		return fine(name, `${count} subordinate ids, which newuidmap maps for the runtime sandbox`);
	const missing = count < IDS_OF_IMAGES ? noSubordinates(system.userName, found) : noProgram(found.newuidmap);
	return lacking(name, `containers have the one id of ${system.userName}: ${SINGLE_ID}`, missing);
}

/** What a container of the runtime sandbox cannot do with a single id. */
const SINGLE_ID = 'in images, programs that change users (su, chown) fail';

function noSubordinates(user: string, found: MachineFacts['ids']): Explanation {
	const lacksUids = found.subuids < IDS_OF_IMAGES;
	const [file, length] = lacksUids ? ['/etc/subuid', found.subuids] : ['/etc/subgid', found.subgids];
	const first = firstFreeRange(found.taken);
	const range = `${first}-${first + IDS_OF_IMAGES - 1}`;
	const flags = [
		...(lacksUids ? [`--add-subuids ${range}`] : []),
		...(found.subgids < IDS_OF_IMAGES ? [`--add-subgids ${range}`] : []),
	];
	return {
		because: `${file} has no line for ${user}${length > 0 ? ` with ${IDS_OF_IMAGES} ids` : ''}`,
		fix: [`sudo usermod ${flags.join(' ')} ${user}`],
	};
}

function noProgram(trial: Trial): Explanation {
	if (trial.kind === 'untried')
		return { because: trial.why, fix: ['sudo apt-get install uidmap (other systems: shadow-utils)'] };
	return trial.kind === 'refused' ? { because: refusalText(trial), fix: [] } : {};
}
