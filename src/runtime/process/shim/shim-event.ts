/** One line that a waiter of the shim has written: see native/shim/shim.h, rule 2. */
export type ShimEvent =
	| {
			readonly kind: 'started';
			readonly id: string;
			readonly pid: number;
			readonly start: string;
			readonly startedAt: number;
			/** The process of the program, where it can outlive its waiter. */
			readonly program?: ProgramProcess;
	  }
	/** The answer to a request about networks, with a descriptor of the shim; undefined: the request makes none. */
	| { readonly kind: 'answered'; readonly id: string; readonly descriptor: number | undefined }
	| { readonly kind: 'failed'; readonly id: string; readonly failure: ShimFailure }
	| {
			readonly kind: 'ended';
			readonly id: string;
			/** As of wait(2). */
			readonly status: number;
			/** Milliseconds since the epoch. */
			readonly finishedAt: number;
			/** How many of its processes the kernel killed for want of memory. */
			readonly oomKills: number;
	  };

/** A process by its id and its start in clock ticks since boot. */
interface ProgramProcess {
	readonly pid: number;
	readonly start: string;
}

/** Why a program could not be started. */
export interface ShimFailure {
	readonly errno: number;
	/** What failed: `exec`, `chdir`, `mount`, `clone` … */
	readonly step: string;
	/** The path that it was about; empty if none. */
	readonly detail: string;
}

/** Decodes a line without its end; undefined if it is damaged, or none of a shim. */
export function decodeEvent(line: string): ShimEvent | undefined {
	const [kind, id = '', ...rest] = line.split(' ');
	if (id === '') return undefined;
	if (kind === 'F') {
		const [errno = '', step = '', ...detail] = rest;
		return isCount(errno)
			? { kind: 'failed', id, failure: { errno: Number(errno), step, detail: textOf(detail) } }
			: undefined;
	}
	if (kind === 'N') {
		const [descriptor = ''] = rest;
		return { kind: 'answered', id, descriptor: isCount(descriptor) ? Number(descriptor) : undefined };
	}
	const [first = '', second = '', third = '', ...program] = rest;
	if (!isCount(first) || !isCount(second) || !isCount(third)) return undefined;
	if (kind === 'S' && Number(first) > 1) {
		const behind = programOf(program);
		const started = { id, pid: Number(first), start: second, startedAt: Number(third) };
		return { kind: 'started', ...started, ...(behind && { program: behind }) };
	}
	if (kind !== 'E') return undefined;
	return { kind: 'ended', id, status: Number(first), finishedAt: Number(second), oomKills: Number(third) };
}

function programOf([pid = '', start = '']: readonly string[]): ProgramProcess | undefined {
	if (!isCount(pid) || !isCount(start) || Number(pid) <= 1) return undefined;
	return { pid: Number(pid), start };
}

/** Lines are read as single bytes; a path in them is UTF-8. */
function textOf(words: readonly string[]): string {
	return Buffer.from(words.join(' '), 'latin1').toString();
}

function isCount(text: string): boolean {
	return /^\d{1,16}$/.test(text);
}
