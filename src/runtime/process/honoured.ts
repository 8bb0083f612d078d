import { platform } from 'node:os';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { inBoth } from '../field-paths.ts';
import { fieldsWithoutSELinux } from '../se-linux.ts';
import type { CgroupController } from './cgroups/cgroup-limits.ts';
import type { BoxLevel } from './shim/box.ts';
import { userOfThisProcess } from './shim/host-users.ts';

/** The levels at which host processes run. */
export type HostLevel = Exclude<BoxLevel, 'chroot'>;

/**
 * The Pod fields that the runtime of host processes honours, by what the machine allows: RuntimeTraits.honours. What
 * none of them names, plan/pod/fields refuses, holds back or reports.
 */
export const HONOURED: Readonly<Record<HostLevel, ReadonlySet<string>>> = {
	none: new Set(['spec.shareProcessNamespace']),
	user: new Set([...fieldsOfEveryBox()]),
	root: new Set([
		...fieldsOfEveryBox(),
		'spec.securityContext.supplementalGroups',
		'spec.securityContext.supplementalGroupsPolicy',
		'spec.securityContext.fsGroup',
		// In user namespaces, the containers would also have to share that.
		'spec.shareProcessNamespace',
		// In a user namespace, these concern only what belongs to it.
		'spec.containers[].securityContext.capabilities.add',
		'spec.containers[].securityContext.privileged',
	]),
};

/** What a machine allows, as far as a Pod can tell. */
export interface Isolation {
	readonly level: BoxLevel;
	/** Whether containers have processes of their own. */
	readonly hasPids: boolean;
}

/** What the traits of the runtime depend on: the machine, and the control groups that stint may make. */
export interface RuntimeMachine {
	readonly isolation: Isolation;
	readonly controllers: ReadonlySet<CgroupController>;
	/** Whether the launcher starts containers by the shim. */
	readonly usesShim: boolean;
	/** Whether Pods have networks of their own, unless they share that of the machine. */
	readonly hasPodNetworks: boolean;
}

/** The traits of the runtime on this machine. */
export function processTraits(machine: RuntimeMachine): RuntimeTraits {
	const { controllers, usesShim } = machine;
	return {
		...isolationTraits(machine),
		user: userOfThisProcess(),
		os: platform(),
		runsHostPrograms: true,
		canExec: usesShim,
		canResize: enforcesLimits(controllers),
	};
}

/** The traits that depend on the machine: its isolation, and the controllers of the control groups that stint may make. */
function isolationTraits({
	isolation: { level, hasPids },
	controllers,
	hasPodNetworks,
}: RuntimeMachine): Pick<RuntimeTraits, 'honours' | 'hostsFile' | 'resolvConf'> {
	if (level === 'none' || level === 'chroot')
		return { honours: new Set([...HONOURED.none, ...fieldsWithoutSELinux()]) };
	const seesAll = hasPids ? [] : ['spec.shareProcessNamespace'];
	return {
		honours: new Set([
			...HONOURED[level],
			...machineFields({ controllers }),
			...seesAll,
			...namespaced(hasPodNetworks),
		]),
		hostsFile: 'pod',
		resolvConf: 'if-other',
	};
}

/** Whether control groups with these controllers enforce what a container may limit. */
export function enforcesLimits(controllers: ReadonlySet<CgroupController>): boolean {
	return controllers.has('cpu') && controllers.has('memory');
}

/** The fields that depend on the machine and not on the isolation: limits, and what has no effect here. */
export function machineFields({ controllers }: Pick<RuntimeMachine, 'controllers'>): readonly string[] {
	return [...(enforcesLimits(controllers) ? LIMITS : []), ...fieldsWithoutSELinux()];
}

/** The fields that change what only a Pod with a network of its own has for itself. */
function namespaced(hasPodNetworks: boolean): readonly string[] {
	return hasPodNetworks ? ['spec.securityContext.sysctls'] : [];
}

const LIMITS = ['spec.resources', 'spec.containers[].resources.limits'];

function fieldsOfEveryBox(): readonly string[] {
	return [
		'spec.volumes',
		'spec.hostAliases',
		...['spec.dnsPolicy', 'spec.dnsConfig'],
		'spec.containers[].terminationMessagePath',
		...['spec.containers[].stdin', 'spec.containers[].tty'],
		...inBoth('runAsUser', 'runAsGroup', 'seccompProfile'),
		...['allowPrivilegeEscalation', 'capabilities.drop', 'readOnlyRootFilesystem'].map(
			(name) => `spec.containers[].securityContext.${name}`,
		),
	];
}
