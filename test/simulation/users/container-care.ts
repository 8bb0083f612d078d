import type { Dice } from '../dice.ts';

/**
 * Draws the probes and lifecycle hooks of a container. program.ts says what their commands do; hooks also sleep. Other
 * handlers would use the network, whose answers are not part of a seed. What a container that `restarts` must pass is
 * short and mostly succeeds: a sidecar that never starts keeps its Pod from ending, which is no fault, and so does a
 * container that is stopped and restarted without end.
 */
export function drawCare(dice: Dice, restarts: boolean): Record<string, unknown> {
	const short = (): readonly string[] => command(dice.of(0, 500), dice.of(0, 0.2));
	const any = (): readonly string[] => command(dice.of(0, 0, 500, 4000, 60_000), dice.of(0, 0.2, 1));
	const atStart = restarts ? short : any;
	const startup = (): Record<string, unknown> => ({
		...drawProbe(dice, atStart()),
		...(restarts && { initialDelaySeconds: 0, periodSeconds: 1 }),
	});
	const lifecycle = {
		...dice.maybe(0.1, () => ({ postStart: exec(atStart()) })),
		...dice.maybe(0.15, () => ({
			preStop: dice.chance(0.4) ? { sleep: { seconds: dice.of(1, 5, 40) } } : exec(any()),
		})),
	};
	return {
		...dice.maybe(0.1, () => ({ startupProbe: startup() })),
		...dice.maybe(0.1, () => ({ livenessProbe: { ...drawProbe(dice, atStart()), ...drawGrace(dice) } })),
		...dice.maybe(0.1, () => ({ readinessProbe: drawProbe(dice, any()) })),
		...(Object.keys(lifecycle).length > 0 && { lifecycle }),
	};
}

function drawProbe(dice: Dice, command: readonly string[]): Record<string, unknown> {
	return {
		...exec(command),
		initialDelaySeconds: dice.of(0, 0, 1, 10),
		periodSeconds: dice.of(1, 5, 30),
		timeoutSeconds: dice.of(1, 3),
		failureThreshold: dice.of(1, 3),
	};
}

function drawGrace(dice: Dice): Record<string, unknown> {
	return dice.maybe(0.3, () => ({ terminationGracePeriodSeconds: dice.of(1, 10) })) ?? {};
}

function exec(command: readonly string[]): Record<string, unknown> {
	return { exec: { command } };
}

function command(runMs: number, failing: number): readonly string[] {
	return ['simulated', `run=${runMs}`, `failing=${failing}`];
}
