import type { Container, LifecycleHandler, Pod } from '../../api/core/pod/schema.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { approximate } from '../../base/json/json.ts';
import { httpTargetOf, joinHostPort } from '../../plan/pod/probes/action-target.ts';
import type { Runtime } from '../../runtime/contract.ts';
import { HOST_SOCKETS } from '../../runtime/pod-sockets.ts';
import { HttpGetError, httpGet } from './http-get.ts';
import { runCommand } from './run-command.ts';

/** A lifecycle hook to run: of the container with this id in a Pod with this address. */
export interface HookRun {
	readonly pod: Pod;
	readonly container: Container;
	readonly handler: LifecycleHandler;
	readonly containerId: string;
	readonly podIP: string;
	/** Aborts when the container has ended. */
	readonly signal: AbortSignal;
}

/** The tools of hooks. */
export interface HookTools {
	readonly runtime: Pick<Runtime, 'exec' | 'podSockets'>;
	readonly clock: Clock;
	/** Called with the address if an HTTPS hook was answered by HTTP, and was repeated by HTTP with success. */
	onHttpFallback(address: string): void;
}

/** The hook has failed by what its command or its container did: no fault of the agent or the runtime. */
export class HookError extends Error {
	override readonly name = 'HookError';
}

/**
 * Runs a postStart or preStop hook to its end (upstream: lifecycle/handlers.go). Rejects if it fails; the error must not
 * reach an event, since outputs and answers may contain secrets. There is no timeout: the caller has the grace period.
 */
export async function runHook(tools: HookTools, run: HookRun): Promise<void> {
	const { exec, httpGet: get, sleep: pause } = run.handler;
	if (exec) return await runExec(tools, run, exec.command ?? []);
	if (get) return await runHttp(tools, run, get);
	if (!pause) throw new Error('invalid handler');
	await sleep(tools.clock, approximate(pause.seconds) * 1000, run.signal);
	if (run.signal.aborted) throw new HookError('container terminated before sleep hook finished');
}

async function runExec(
	{ runtime, clock }: HookTools,
	{ containerId, signal }: HookRun,
	command: readonly string[],
): Promise<void> {
	const end = await runCommand(runtime, { containerId, command }, { clock, mostBytes: 0, signal });
	if (end.kind === 'exited' && end.exitCode === 0) return;
	throw new HookError(end.kind === 'exited' ? `command exited with ${end.exitCode}` : 'command timed out');
}

/** Any answer is a success, whatever its status code. */
async function runHttp(
	{ runtime, clock, onHttpFallback }: HookTools,
	{ container, podIP, signal }: HookRun,
	get: NonNullable<LifecycleHandler['httpGet']>,
): Promise<void> {
	const target = httpTargetOf(container, get, { podIP, purpose: 'lifecycle' });
	const limits = { clock, signal, sockets: runtime.podSockets ?? HOST_SOCKETS };
	try {
		await httpGet(target, limits);
	} catch (error) {
		if (!(error instanceof HttpGetError)) throw error;
		if (error.isInBody) return;
		if (!error.message.includes('server gave HTTP response to HTTPS client')) throw error;
		const { authorization: _, ...headers } = Object.fromEntries(target.headers);
		const plain = { ...target, scheme: 'http', headers: new Map(Object.entries(headers)) } as const;
		await httpGet(plain, limits);
		onHttpFallback(joinHostPort(target.host, target.port));
	}
}
