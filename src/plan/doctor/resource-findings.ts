import { honoursField } from '../pod/fields/field-rule.ts';
import type { CgroupFacts, MachineFacts } from './facts.ts';
import { type Explanation, fine, isAllowed, lacking, type MachineFinding, refusalText } from './finding.ts';
import { sysctl } from './refusal-causes.ts';

/** What limits Pods, and what limits stint. */
export function resourceFindings(facts: MachineFacts): readonly MachineFinding[] {
	return facts.system.platform === 'linux'
		? [cgroups(facts), openFiles(facts), inotify(facts)]
		: [openFiles(facts)];
}

/** The controllers that the limits of a container need. */
const NEEDED: readonly string[] = ['cpu', 'memory'];

function cgroups(facts: MachineFacts): MachineFinding {
	const name = { name: 'cgroups', title: 'control groups' };
	const { cgroups: found, traits } = facts;
	const usable = found.filter(({ trial }) => isAllowed(trial));
	const has = new Set(usable.flatMap(({ controllers }) => controllers));
	const enforces = honoursField(traits, 'spec.containers[].resources.limits');
	const note = enforces ? 'limits are enforced' : 'this version of stint enforces no limits';
	const listed = usable
		.map(({ version, controllers }) => `v${version}: ${controllers.join(', ') || 'no controllers'}`)
		.join('; ');
	if (NEEDED.every((controller) => has.has(controller)))
		return fine(name, `may be made (${listed}); ${note}`);
	const what =
		usable.length === 0 ? 'none can be made' : `may be made, but not for cpu and memory (${listed})`;
	return lacking(name, `${what}; limits are not enforced`, causeOf(found, facts));
}

function causeOf(found: readonly CgroupFacts[], { system }: MachineFacts): Explanation {
	const group =
		found.find(({ controllers }) => NEEDED.some((each) => controllers.includes(each))) ?? found[0];
	if (!group) return { because: 'no cgroup file system is mounted', fix: [] };
	const { trial, folder, version } = group;
	const because =
		trial.kind === 'refused'
			? `${folder} is not delegated to ${system.userName} (${refusalText(trial)})`
			: `${folder}/cgroup.controllers lists ${group.controllers.join(', ') || 'no controllers'}`;
	if (trial.kind === 'refused' && trial.code === 'EROFS')
		return { because, fix: ['docker run --cgroupns=private -v /sys/fs/cgroup:/sys/fs/cgroup:rw …'] };
	if (version === 1 && trial.kind === 'refused') return { because, fix: [`sudo ${system.program} server`] };
	if (trial.kind === 'refused')
		return { because, fix: [`systemd-run --user --scope -p Delegate=yes ${system.program} server`] };
	return { because, fix: [DELEGATE_ALL] };
}

/** systemd delegates only memory and pids to users by default. */
const DELEGATE_ALL =
	"sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload";

/** The server keeps 256 for itself (docs/server.md); each running container has some four. */
const FEW_FILES = 1024;

function openFiles({ limits: { openFiles: hard } }: MachineFacts): MachineFinding {
	const name = { name: 'openFiles', title: 'open files' };
	if (hard === undefined) return lacking(name, 'the limit is unknown');
	if (hard >= FEW_FILES)
		return fine(name, hard === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${hard}`);
	return lacking(name, `at most ${hard}: few clients and containers at once`, {
		because: 'the hard limit of the process (ulimit -Hn)',
		fix: [`echo '* hard nofile 65536' | sudo tee /etc/security/limits.d/stint.conf, then log in again`],
	});
}

/** Each followed log takes an instance and a watch; programs in containers share both with all of the user's. */
const FEW_INSTANCES = 128;
const FEW_WATCHES = 8192;

function inotify({ limits }: MachineFacts): MachineFinding {
	const name = { name: 'inotify', title: 'inotify' };
	const { inotifyInstances: instances, inotifyWatches: watches } = limits;
	if (instances === undefined || watches === undefined) return lacking(name, 'the limits are unknown');
	const found = `${instances} instances, ${watches} watches a user`;
	const fix = [
		...(instances < FEW_INSTANCES ? [sysctl('fs.inotify.max_user_instances', '512')] : []),
		...(watches < FEW_WATCHES ? [sysctl('fs.inotify.max_user_watches', '65536')] : []),
	];
	if (fix.length === 0) return fine(name, found);
	return lacking(name, `${found}: programs that watch files may fail`, {
		because: '/proc/sys/fs/inotify says so',
		fix,
	});
}
