import type { ApiRequest, ApiResponse, ApiTransport } from '../../src/api/contract/transport.ts';
import { ApiError } from '../../src/api/errors/api-error.ts';
import type { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { ShortWatchError } from '../../src/client/short-watch-error.ts';
import { ServerUnreachableError } from '../../src/client/transport/server-unreachable.ts';
import { HookError } from '../../src/node/handlers/run-hook.ts';
import { ExecError, RuntimeUnavailable } from '../../src/runtime/contract.ts';
import type { Dice } from './dice.ts';
import type { Faults } from './faults/faults.ts';
import { FaultyTransport } from './faults/faulty-transport.ts';
import { ScheduledKill } from './faults/scheduled-kills.ts';
import type { Observed } from './oracles/observed.ts';
import { identifiesObject } from './oracles/preconditions.ts';
import type { ProcessLife } from './oracles/process-life.ts';
import type { Violations } from './oracles/violations.ts';
import type { Trace } from './trace.ts';

/** What all simulated processes share. */
export interface Surroundings {
	readonly clock: VirtualClock;
	readonly trace: Trace;
	readonly violations: Violations;
	readonly faults: Faults;
	/** Draws when processes die and restart. */
	readonly dice: Dice;
	/** Draws whether the process that starts now gets a scheduled kill. */
	isKillScheduled(): boolean;
	/** The transport to the API server process that runs now. */
	server(): ApiTransport;
	/** Another client updates the object at this path. */
	disturb(path: string): Promise<void>;
	/** The server has answered a write with success. */
	answered(request: ApiRequest, response: ApiResponse): void;
	/** A process sends a request. */
	asked(request: ApiRequest): void;
}

/** What one simulated process needs from its surroundings. */
export interface Equipment {
	readonly transport: FaultyTransport;
	readonly scheduledKill: ScheduledKill | undefined;
	/** Checks and notes an error that a component reports (invariant 15). */
	onError(component: string, key: string, error: unknown): void;
}

/** Makes the equipment of a new process, with a transport of its own. */
export function equip(surroundings: Surroundings, life: ProcessLife, observed: Observed): Equipment {
	const { trace, faults, dice, violations } = surroundings;
	const scheduledKill = surroundings.isKillScheduled() ? ScheduledKill.draw(dice) : undefined;
	const transport = new FaultyTransport({
		...{ life, faults, observed },
		...(scheduledKill && { scheduledKill }),
		server: () => surroundings.server(),
		disturb: (path) => surroundings.disturb(path),
		answered: (request, response) => surroundings.answered(request, response),
		asked: (request) => {
			const { method, path } = request;
			violations.check(
				identifiesObject(request),
				26,
				() => `${life.name} sends no uid or resourceVersion: ${method} ${path}`,
			);
			surroundings.asked(request);
		},
		note: (what) => trace.note(life.name, what),
	});
	return {
		transport,
		scheduledKill,
		onError: (component, key, error) => {
			const message = error instanceof Error ? error.message : String(error);
			// An orderly stop aborts the calls that are in flight.
			const isStop = life.stopping.aborted && error instanceof Error && error.name === 'AbortError';
			violations.check(
				isStop || isExpected(error),
				15,
				() => `${component} fails at ${key}: ${stackOf(error)}`,
			);
			trace.note(life.name, `${component} at ${key}: ${message}`);
		},
	};
}

/**
 * The errors that injected faults and failing hooks cause, as processes report them; a watch can also end early
 * without an error.
 */
const EXPECTED = [
	ApiError,
	ServerUnreachableError,
	RuntimeUnavailable,
	ShortWatchError,
	HookError,
	ExecError,
];

function isExpected(error: unknown): boolean {
	if (EXPECTED.some((kind) => error instanceof kind)) return true;
	return error instanceof Error && error.cause !== undefined && isExpected(error.cause);
}

function stackOf(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
