import type { Clock, Timer } from '../../base/clock.ts';
import type { NodeAgent } from '../../node/agent/agent.ts';

/**
 * Time that a stopping node agent waits for its pending calls to the runtime. Hundreds may be queued in a
 * busy launcher, which executes them even without the agent; the agent of the next server reads their results
 * from the launcher.
 */
const RUNTIME_CALLS_MS = 300;

/** Runs the agent until `signal` aborts; then aborts its calls to the API, and stops the runtime after a time. */
export async function runAgent(
	agent: NodeAgent,
	{ calls, clock, stopRuntime }: { calls: AbortController; clock: Clock; stopRuntime: () => void },
	signal: AbortSignal,
): Promise<void> {
	let timer: Timer | undefined;
	const stop = (): void => {
		calls.abort();
		timer = clock.setTimer(RUNTIME_CALLS_MS, stopRuntime);
	};
	signal.addEventListener('abort', stop, { once: true });
	try {
		await agent.run(signal);
	} finally {
		// An agent that fails by itself has no calls left to wait for when the server stops.
		signal.removeEventListener('abort', stop);
		calls.abort();
		timer?.cancel();
	}
}
