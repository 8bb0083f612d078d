import type { Dice } from '../dice.ts';
import { drawCare } from './container-care.ts';

/** The key of the taints that users put on nodes. */
export const USERS_TAINT = 'example.com/users';

/**
 * Draws a Job's spec. Every feature is used at times, so that features also meet in one Job. Sizes are small:
 * a run has many Jobs, and faults of counting show with four Pods as well as with a thousand.
 */
export function drawJobSpec(dice: Dice): Record<string, unknown> {
	const mode = dice.of('plain' as const, 'indexed' as const, 'queue' as const);
	const completions = dice.between(1, 5);
	const indexed = mode === 'indexed';
	const perIndex = indexed && dice.chance(0.4) ? dice.between(0, 2) : undefined;
	const policy = dice.maybe(0.3, () => drawFailurePolicy(dice, perIndex !== undefined));
	const onFailure = !policy && dice.chance(0.2);
	return {
		parallelism: dice.between(1, 4),
		...(mode !== 'queue' && { completions }),
		...(indexed && { completionMode: 'Indexed' }),
		...(perIndex === undefined ? { backoffLimit: dice.between(0, 4) } : { backoffLimitPerIndex: perIndex }),
		...(perIndex !== undefined && dice.chance(0.4) && { maxFailedIndexes: dice.between(0, completions) }),
		...(policy && { podFailurePolicy: policy, podReplacementPolicy: 'Failed' }),
		...(!policy && dice.chance(0.3) && { podReplacementPolicy: 'Failed' }),
		...(indexed && dice.chance(0.3) && { successPolicy: { rules: [drawSuccessRule(dice, completions)] } }),
		...(dice.chance(0.2) && { activeDeadlineSeconds: dice.between(5, 240) }),
		...(dice.chance(0.2) && { ttlSecondsAfterFinished: dice.between(0, 120) }),
		...(dice.chance(0.1) && { suspend: true }),
		template: drawTemplate(dice, onFailure ? 'OnFailure' : 'Never'),
	};
}

function drawSuccessRule(dice: Dice, completions: number): Record<string, unknown> {
	const last = dice.between(0, completions - 1);
	return dice.of(
		{ succeededCount: dice.between(1, completions) },
		{ succeededIndexes: `0-${completions - 1}`, succeededCount: dice.between(1, completions) },
		{ succeededIndexes: `${last}` },
	);
}

function drawFailurePolicy(dice: Dice, perIndex: boolean): Record<string, unknown> {
	const rules = [
		{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
		{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } },
		{ action: 'Count', onExitCodes: { operator: 'NotIn', values: [1, 2, 3] } },
		{ action: 'FailJob', onExitCodes: { operator: 'In', values: [2] } },
		...(perIndex ? [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [3] } }] : []),
	];
	const chosen = rules.filter(() => dice.chance(0.5));
	return { rules: chosen.length > 0 ? chosen : rules.slice(0, 1) };
}

/** Draws a Pod template; program.ts says what the arguments of its container mean. */
function drawTemplate(dice: Dice, restartPolicy: 'Never' | 'OnFailure'): Record<string, unknown> {
	const failing = dice.of(0, 0.2, 0.5);
	const args = [
		`run=${dice.of(0, 5, 200, 3000, 20_000)}`,
		`jitter=${dice.of(0, 2000)}`,
		`failing=${failing}`,
	];
	if (dice.chance(0.2)) args.push('ignores-term');
	const resources = { requests: { cpu: dice.of('100m', '500m', '1') } };
	const ports = dice.maybe(0.1, () => [{ containerPort: 80, hostPort: dice.of(80, 81) }]) ?? [];
	const base = { image: 'any', command: ['simulated'], args, resources };
	const restarts = restartPolicy === 'OnFailure';
	const containers = [{ ...base, name: 'main', ports, ...drawCare(dice, restarts) }];
	if (dice.chance(0.1)) containers.push({ ...base, name: 'beside', ports: [], ...drawCare(dice, restarts) });
	const sidecars = dice.maybe(0.15, () => drawSidecars(dice));
	const grace = dice.of(0, 1, 30);
	const tolerations = dice.maybe(0.3, () => [drawToleration(dice)]);
	const team = dice.of('red', 'blue');
	return {
		metadata: { labels: { team } },
		spec: {
			...dice.maybe(0.25, () => ({
				priorityClassName: dice.of('system-cluster-critical', 'system-node-critical'),
			})),
			...dice.maybe(0.2, () => ({ affinity: awayFrom(dice.of('red', 'blue')) })),
			restartPolicy,
			terminationGracePeriodSeconds: grace,
			...dice.maybe(0.1, () => ({ activeDeadlineSeconds: dice.of(1, 10, 60) })),
			containers,
			...(sidecars && { initContainers: sidecars }),
			...(tolerations && { tolerations }),
		},
	};
}

/** Draws one or two sidecars, which run until they are stopped or end by themselves. */
function drawSidecars(dice: Dice): readonly Record<string, unknown>[] {
	return Array.from({ length: dice.between(1, 2) }, (_, index) => ({
		...{ name: `sidecar-${index}`, image: 'any', command: ['simulated'], restartPolicy: 'Always' },
		args: [`run=${dice.of(3000, 20_000, 100_000)}`, ...(dice.chance(0.2) ? ['ignores-term'] : [])],
		...drawCare(dice, true),
	}));
}

/** Required anti-affinity to nodes with a Pod of that team. */
function awayFrom(team: string): Record<string, unknown> {
	const term = { labelSelector: { matchLabels: { team } }, topologyKey: 'kubernetes.io/hostname' };
	return { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
}

/** Draws a toleration of users' taints or of those of an unhealthy node, with or without tolerationSeconds. */
function drawToleration(dice: Dice): Record<string, unknown> {
	const limited = { effect: 'NoExecute', tolerationSeconds: dice.of(0, 5, 60) };
	return dice.of(
		{ key: USERS_TAINT, operator: 'Exists' },
		{ key: USERS_TAINT, value: 'a' },
		{ key: USERS_TAINT, operator: 'Exists', ...limited },
		{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', ...limited },
		{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', ...limited },
		{ operator: 'Exists', ...limited },
	);
}
