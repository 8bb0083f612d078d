import { PROBE_DEFAULTS } from '../../api/core/pod/defaults.ts';
import type { Container, Pod, Probe } from '../../api/core/pod/schema.ts';
import { formatGoDuration } from '../../api/meta/go-duration-text.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import { quote } from '../../base/quote.ts';
import { httpTargetOf, PROBE_AGENT, portOf, probeCommand } from '../../plan/pod/probes/action-target.ts';
import type { Runtime } from '../../runtime/contract.ts';
import { HOST_SOCKETS } from '../../runtime/pod-sockets.ts';
import { grpcHealth } from '../handlers/grpc-health.ts';
import { HttpGetError, httpGet } from '../handlers/http-get.ts';
import { runCommand } from '../handlers/run-command.ts';
import { type TcpConnectTools, tcpConnect } from '../handlers/tcp-connect.ts';

/**
 * Runs one probe once (upstream: `runProbe` in prober/prober.go, and pkg/probe).
 */

/** A run of a probe: of the container with this id in a Pod with this address. */
export interface ProbeRun {
	readonly pod: Pod;
	readonly container: Container;
	readonly probe: Probe;
	readonly containerId: string;
	readonly podIP: string;
	/** Aborts when the container no longer needs the probe. */
	readonly signal: AbortSignal;
}

/** The outcome; the output is for the event. A warning is a success that an event reports. */
export interface ProbeReport {
	readonly result: 'success' | 'warning' | 'failure';
	readonly output: string;
}

/** The probe could not be run; `result` is how the event calls the state. */
export class ProbeError extends Error {
	override readonly name = 'ProbeError';
	readonly result: 'unknown' | 'failure';

	constructor(result: ProbeError['result'], message: string) {
		super(message);
		this.result = result;
	}
}

/** Upstream's limit of the output of a command. */
const MOST_OUTPUT_BYTES = 10 * 1024;

/** Runs the probe. Rejects with {@link ProbeError}, or as the runtime does. */
export async function runProbe(
	{ runtime, clock }: { readonly runtime: Pick<Runtime, 'exec' | 'podSockets'>; readonly clock: Clock },
	run: ProbeRun,
): Promise<ProbeReport> {
	const { probe, container, podIP } = run;
	const timeoutMs = (probe.timeoutSeconds ?? PROBE_DEFAULTS.timeoutSeconds) * 1000;
	const sockets = runtime.podSockets ?? HOST_SOCKETS;
	if (probe.exec) return await runExec({ runtime, clock, timeoutMs }, run);
	if (probe.httpGet) return await runHttp({ clock, timeoutMs, sockets }, run);
	if (probe.tcpSocket) {
		const port = resolved(container, probe.tcpSocket.port);
		const failure = await tcpConnect(
			{ host: probe.tcpSocket.host || podIP, port },
			{ clock, timeoutMs, sockets },
		);
		return reportOf(failure);
	}
	if (probe.grpc) {
		const { port, service } = probe.grpc;
		const target = { host: podIP, port, service: service ?? '', userAgent: PROBE_AGENT };
		return reportOf(await grpcHealth({ ...target, clock, timeoutMs, sockets }));
	}
	const { name = '', namespace = '', uid = '' } = run.pod.metadata;
	throw new ProbeError('unknown', `missing probe handler for ${name}_${namespace}(${uid}):${container.name}`);
}

function reportOf(failure: string | undefined): ProbeReport {
	return failure === undefined ? { result: 'success', output: '' } : { result: 'failure', output: failure };
}

function resolved(container: Container, port: number | string): number {
	try {
		return portOf(container, port);
	} catch (error) {
		throw new ProbeError('unknown', messageOf(error));
	}
}

async function runExec(
	{ runtime, clock, timeoutMs }: { runtime: Pick<Runtime, 'exec'>; clock: Clock; timeoutMs: number },
	{ container, probe, containerId, signal }: ProbeRun,
): Promise<ProbeReport> {
	const command = probeCommand(container, probe.exec ?? {});
	const limits = { clock, timeoutMs, mostBytes: MOST_OUTPUT_BYTES, signal };
	const end = await runCommand(runtime, { containerId, command }, limits);
	if (end.kind === 'exited') {
		return { result: end.exitCode === 0 ? 'success' : 'failure', output: end.output };
	}
	const output = `command timed out: ${quote(command.join(' '))} timed out after ${formatGoDuration(timeoutMs)}`;
	return { result: 'failure', output };
}

async function runHttp(
	{ clock, timeoutMs, sockets }: TcpConnectTools,
	{ container, probe, podIP, signal }: ProbeRun,
): Promise<ProbeReport> {
	const get = probe.httpGet;
	if (!get) throw new ProbeError('unknown', 'the probe has no httpGet');
	resolved(container, get.port);
	const target = httpTargetOf(container, get, { podIP, purpose: 'probe' });
	try {
		const { status, body } = await httpGet(target, { clock, timeoutMs, signal, sockets });
		if (status < 200 || status >= 400) {
			// As upstream, without the body: it could contain secrets.
			return { result: 'failure', output: `HTTP probe failed with statuscode: ${status}` };
		}
		if (status < 300) return { result: 'success', output: body };
		return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
	} catch (error) {
		if (!(error instanceof HttpGetError)) throw error;
		if (error.isInBody) throw new ProbeError('failure', error.message);
		return { result: 'failure', output: error.message };
	}
}
