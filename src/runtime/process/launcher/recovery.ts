/**
 * Recovery after a launcher was killed. The next one continues with the containers that the shim runs. It does so with
 * those that have ended meanwhile too, since the pipes may hold output that no launcher has read. It kills the remaining
 * processes of all others, and marks these as lost.
 */
import { type Clock, sleep } from '../../../base/clock.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { endOf } from '../containers/main-process.ts';
import type { Shim, ShimRecord } from '../shim/shim.ts';
import { StartFailure } from '../shim/shim-failure.ts';
import type { JournalState } from './journal.ts';
import type { Origin } from './journal-entry.ts';
import { isRunning, killMarked, killTree, markOf, signalGroup } from './process-table.ts';

/** The messages of a lost container, which users see in the Pod's status. */
const KILLED =
	'The launcher process that ran this container was killed; stint has killed the remaining processes of the container';
const REBOOTED = 'The machine was restarted while the container ran';
/** The message of a container whose waiter was killed. */
export const WAITER_KILLED =
	'The process that waited for this container was killed, so its exit code is not known';

/** How long a launcher waits for the report about a start that its predecessor had requested. */
const START_WAIT_MS = 1000;
const RETRY_MS = 20;

/** The state of the runtime after a recovery. */
export interface Recovered {
	readonly state: JournalState;
	/** The containers to continue with, by id. Each has an entry in the state's `runs`. */
	readonly running: ReadonlyMap<string, ShimRecord>;
}

/** What a recovery needs. */
export interface RecoveryOptions {
	readonly here: Origin;
	readonly shim: Pick<Shim, 'records'> | undefined;
	readonly clock: Clock;
}

/** Recovers the state that `journaled` and the shim's files describe. */
export async function recover(journaled: JournalState, options: RecoveryOptions): Promise<Recovered> {
	const { here, shim, clock } = options;
	const isHere =
		journaled.boot === here.boot && (journaled.folder === undefined || journaled.folder === here.folder);
	const records = await readRecords(journaled, { shim: shim, isHere, clock });
	const running = isHere ? toContinue(journaled, records, shim) : new Map<string, ShimRecord>();
	if (isHere) await killRemaining(journaled, new Set(running.keys()), records);
	const lostBecause = journaled.boot === here.boot ? KILLED : REBOOTED;
	const containers = new Map<string, RuntimeContainer>();
	for (const [id, status] of journaled.containers) {
		const record = records.get(journaled.runs.get(id)?.request ?? '');
		const goesOn = running.get(id);
		// It waited for its turn, or the request never reached the shim. The caller creates the container again.
		if (status.state === 'created' && shim && isHere && !record && !journaled.processes.has(id)) continue;
		if (status.state === 'exited') containers.set(id, status);
		else if (goesOn) containers.set(id, runningAs(status, startOf(journaled, id, goesOn)));
		else containers.set(id, endedAs(status, record, { journaled, now: clock.now(), lostBecause }));
	}
	return { state: { ...journaled, containers }, running };
}

/** Reads the shim's files, and waits a while for reports about starts in progress. */
async function readRecords(
	journaled: JournalState,
	{ shim, isHere, clock }: { shim: Pick<Shim, 'records'> | undefined; isHere: boolean; clock: Clock },
): Promise<Map<string, ShimRecord>> {
	const records = new Map<string, ShimRecord>();
	if (!shim) return records;
	shim.records(records);
	const isPending = (): boolean =>
		Array.from(journaled.runs).some(
			([id, { request }]) => journaled.containers.get(id)?.state === 'created' && !records.has(request),
		);
	for (let waited = 0; isHere && waited < START_WAIT_MS && isPending(); waited += RETRY_MS) {
		await sleep(clock, RETRY_MS);
		shim.records(records);
	}
	return records;
}

/** The containers that the shim has started, and that run or whose end it has reported. */
function toContinue(
	{ containers, runs }: JournalState,
	records: Map<string, ShimRecord>,
	shim: Pick<Shim, 'records'> | undefined,
): ReadonlyMap<string, ShimRecord> {
	const alive = new Set<string>();
	for (const [id, { request }] of runs) {
		const identity = records.get(request)?.identity;
		if (identity && containers.get(id)?.state !== 'exited' && isRunning(identity)) alive.add(id);
	}
	// A waiter that has ended since the files were read has reported the end before it ended.
	shim?.records(records);
	const running = new Map<string, ShimRecord>();
	for (const [id, { request }] of runs) {
		const record = records.get(request);
		if (!record?.identity || containers.get(id)?.state === 'exited') continue;
		if (alive.has(id) || record.last.kind === 'ended') running.set(id, record);
	}
	return running;
}

/**
 * Kills the remaining processes of the containers that do not continue: the process groups whose leader still is the recorded
 * process, the programs whose waiters were killed, and each process with the mark of a container, exited containers included.
 * A group whose leader has exited is found by the mark only, because the kernel may have given its number to another group.
 *
 * The caller makes sure that the processes were started here: not before the machine's last boot, nor by the launcher of
 * a folder that this one is a copy of.
 */
async function killRemaining(
	journaled: JournalState,
	goOn: ReadonlySet<string>,
	records: ReadonlyMap<string, ShimRecord>,
): Promise<void> {
	for (const [id, { request }] of journaled.runs) {
		const { last, program } = records.get(request) ?? {};
		if (program && last?.kind === 'started' && !goOn.has(id)) killTree(program);
	}
	for (const [id, identity] of journaled.processes) {
		const hasEnded = journaled.containers.get(id)?.state === 'exited';
		if (!hasEnded && !goOn.has(id) && isRunning(identity)) signalGroup(identity.pid, 'SIGKILL');
	}
	const { key } = journaled;
	if (key === undefined) return;
	const ids = Array.from(journaled.containers.keys()).filter((id) => !goOn.has(id));
	await killMarked(new Set(ids.map((id) => markOf(id, key))));
}

function startOf(journaled: JournalState, id: string, { identity }: ShimRecord): number {
	return journaled.processes.get(id)?.startedAt ?? identity?.startedAt ?? 0;
}

function runningAs(status: RuntimeContainer, startedAt: number): RuntimeContainer {
	return status.state === 'running' ? status : { ...status, state: 'running', startedAt };
}

function endedAs(
	status: RuntimeContainer,
	record: ShimRecord | undefined,
	about: { readonly journaled: JournalState; readonly now: number; readonly lostBecause: string },
): RuntimeContainer {
	const { journaled, now, lostBecause } = about;
	const startedAt = journaled.processes.get(status.id)?.startedAt ?? record?.identity?.startedAt;
	const started = startedAt === undefined ? {} : { startedAt };
	if (record?.last.kind === 'ended') {
		const { status: waited, finishedAt, oomKills } = record.last;
		const end = endOf(waited, finishedAt);
		return { ...status, ...started, ...end, state: 'exited', reason: reasonOf(end.exitCode, oomKills > 0) };
	}
	if (record?.last.kind === 'failed') {
		const { message } = new StartFailure(record.last.failure);
		return { ...status, state: 'exited', exitCode: 128, finishedAt: now, reason: 'StartError', message };
	}
	const end = { finishedAt: now, exitCode: 137, reason: 'ContainerStatusUnknown', message: lostBecause };
	return { ...status, ...started, ...end, state: 'exited' };
}

/** The reason of an exit, as container runtimes give it. */
export function reasonOf(exitCode: number, isOutOfMemory: boolean): string {
	if (isOutOfMemory) return 'OOMKilled';
	return exitCode === 0 ? 'Completed' : 'Error';
}
