import { platform } from 'node:os';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { BoxLevel } from './shim/box.ts';
import { userOfThisProcess } from './shim/host-users.ts';

/**
 * The Pod fields that the runtime of host processes honours, by what the machine allows: RuntimeTraits.honours. What
 * none of them names, plan/pod/fields refuses, holds back or reports.
 */
export const HONOURED: Readonly<Record<BoxLevel, ReadonlySet<string>>> = {
	none: new Set(['spec.shareProcessNamespace']),
	user: new Set([...fieldsOfEveryBox()]),
	root: new Set([
		...fieldsOfEveryBox(),
		'spec.securityContext.supplementalGroups',
		'spec.securityContext.supplementalGroupsPolicy',
		'spec.securityContext.fsGroup',
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

/** The traits of the runtime on this machine; `usesShim`: the launcher starts containers by the shim. */
export function processTraits(isolation: Isolation, usesShim: boolean): RuntimeTraits {
	return {
		...isolationTraits(isolation),
		user: userOfThisProcess(),
		os: platform(),
		runsHostPrograms: true,
		canExec: usesShim,
		canResize: false,
	};
}

/** The traits that depend on the machine. */
function isolationTraits({ level, hasPids }: Isolation): Pick<RuntimeTraits, 'honours' | 'hostsFile'> {
	if (level === 'none') return { honours: HONOURED.none };
	const seesAll = hasPids ? [] : ['spec.shareProcessNamespace'];
	return { honours: new Set([...HONOURED[level], ...seesAll]), hostsFile: 'pod' };
}

function fieldsOfEveryBox(): readonly string[] {
	return [
		'spec.volumes',
		'spec.hostAliases',
		'spec.containers[].terminationMessagePath',
		...['spec.containers[].stdin', 'spec.containers[].tty'],
		...inBoth('runAsUser', 'runAsGroup', 'seccompProfile'),
		...['allowPrivilegeEscalation', 'capabilities.drop', 'readOnlyRootFilesystem'].map(
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
