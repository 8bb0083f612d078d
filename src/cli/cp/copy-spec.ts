import { CommandError } from '../context.ts';

/** A side of `cp`: a path of this machine, or one in a container. */
export type CopySpec =
	| { readonly type: 'local'; readonly path: string }
	| {
			readonly type: 'remote';
			readonly namespace: string | undefined;
			readonly pod: string;
			readonly path: string;
	  };

/** Parses `PATH`, `POD:PATH` or `NAMESPACE/POD:PATH` as kubectl does (extractFileSpec). Throws a CommandError. */
export function copySpecOf(text: string): CopySpec {
	const colon = text.indexOf(':');
	const invalid = new CommandError('Filespec must match the canonical format: [[namespace/]pod:]file/path');
	if (colon === 0) throw invalid;
	const parts = text.slice(0, colon).split('/');
	// A path of this machine may contain a colon after a slash: ./a:b.
	if (colon < 0 || text.startsWith('.') || text.startsWith('/')) return { type: 'local', path: text };
	const path = text.slice(colon + 1);
	const [first = '', second, ...more] = parts;
	if (more.length > 0) throw invalid;
	if (second === undefined) return { type: 'remote', namespace: undefined, pod: first, path };
	if (first === '' || second === '') throw invalid;
	return { type: 'remote', namespace: first, pod: second, path };
}

/** The parts of a path without `.`, and without `..` and what it removes: never above its start. */
export function cleanParts(path: string): readonly string[] {
	const parts: string[] = [];
	for (const part of path.split('/')) {
		if (part === '..') parts.pop();
		else if (part !== '' && part !== '.') parts.push(part);
	}
	return parts;
}
