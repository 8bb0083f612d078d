import type { CgroupController } from './cgroups/cgroup-limits.ts';
import type { BoxLevel } from './shim/box.ts';

/**
 * The Pod fields that the runtime of host processes honours, by what the machine allows: RuntimeTraits.honours. What
 * none of them names, plan/pod/fields refuses, holds back or reports.
 */
export function honouredFields(
	level: BoxLevel,
	controllers: ReadonlySet<CgroupController>,
): ReadonlySet<string> {
	return enforcesLimits(controllers) ? HONOURED[level].union(LIMITS) : HONOURED[level];
}

/** Whether control groups with these controllers enforce what a container may limit. */
export function enforcesLimits(controllers: ReadonlySet<CgroupController>): boolean {
	return controllers.has('cpu') && controllers.has('memory');
}

const LIMITS: ReadonlySet<string> = new Set(['spec.resources', 'spec.containers[].resources.limits']);

const HONOURED: Readonly<Record<BoxLevel, ReadonlySet<string>>> = {
	none: new Set(),
	user: new Set([...fieldsOfEveryBox()]),
	root: new Set([
		...fieldsOfEveryBox(),
		'spec.securityContext.supplementalGroups',
		'spec.securityContext.supplementalGroupsPolicy',
		'spec.securityContext.fsGroup',
	]),
};

function fieldsOfEveryBox(): readonly string[] {
	return [
		'spec.volumes',
		'spec.containers[].terminationMessagePath',
		...['spec.containers[].stdin', 'spec.containers[].tty'],
		...inBoth('runAsUser', 'runAsGroup', 'runAsNonRoot', 'seccompProfile'),
		...['allowPrivilegeEscalation', 'capabilities', 'readOnlyRootFilesystem', 'privileged'].map(
			(name) => `spec.containers[].securityContext.${name}`,
		),
	];
}

/** The paths of fields that Pods and containers have. */
function inBoth(...names: readonly string[]): readonly string[] {
	return names.flatMap((name) => [
		`spec.securityContext.${name}`,
		`spec.containers[].securityContext.${name}`,
	]);
}
