import { ApiError } from '../../src/api/meta/api-error.ts';
import type { ApiRequest, ApiResponse, ApiTransport } from '../../src/api/meta/transport.ts';
import type { VirtualClock } from '../../src/base/virtual-clock.ts';
import { ServerUnreachableError } from '../../src/client/server-unreachable.ts';
import { ShortWatchError } from '../../src/client/short-watch-error.ts';
import { RuntimeUnavailable } from '../../src/node/runtime/runtime.ts';
import type { Dice } from './dice.ts';
import type { Faults } from './faults.ts';
import { FaultyTransport } from './faulty-transport.ts';
import type { Observed } from './observed.ts';
import { saysWhichObject } from './preconditions.ts';
import type { ProcessLife } from './process-life.ts';
import { ScheduledKill } from './scheduled-kills.ts';
import type { Trace } from './trace.ts';
import type { Violations } from './violations.ts';

/** What the simulated processes share. */
export interface Surroundings {
	readonly clock: VirtualClock;
	readonly trace: Trace;
	readonly violations: Violations;
	readonly faults: Faults;
	/** For the deaths of processes. */
	readonly dice: Dice;
	/** Draws whether the process that starts now gets a scheduled kill. */
	isKillScheduled(): boolean;
	/** The server that runs at the moment. */
	server(): ApiTransport;
	disturb(path: string): Promise<void>;
	answered(request: ApiRequest, response: ApiResponse): void;
	asked(request: ApiRequest): void;
}

/** What a process meets the world with. */
export interface Equipment {
	readonly transport: FaultyTransport;
	readonly scheduledKill: ScheduledKill | undefined;
	/** Takes the errors that components report. */
	onError(component: string, key: string, error: unknown): void;
}

/** Equips a new process. */
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
				saysWhichObject(request),
				26,
				() => `${life.name} does not say which: ${method} ${path}`,
			);
			surroundings.asked(request);
		},
		note: (what) => trace.note(life.name, what),
	});
	return {
		transport,
		scheduledKill,
		onError: (component, key, error) => {
			const told = error instanceof Error ? error.message : String(error);
			violations.check(isExpected(error), 15, () => `${component} fails at ${key}: ${stackOf(error)}`);
			trace.note(life.name, `${component} at ${key}: ${told}`);
		},
	};
}

/** The errors that injected faults cause, as processes report them; a watch can also end early without an error. */
const EXPECTED = [ApiError, ServerUnreachableError, RuntimeUnavailable, ShortWatchError];

function isExpected(error: unknown): boolean {
	if (EXPECTED.some((kind) => error instanceof kind)) return true;
	return error instanceof Error && error.cause !== undefined && isExpected(error.cause);
}

function stackOf(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
