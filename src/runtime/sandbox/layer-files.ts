import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LayerFiles, LayerMarks } from '../../image/layers/layer-marks.ts';

/**
 * Applies the marks of layers by the shim, which has the calls that Node lacks. `isUser`: the overlay is mounted in a user
 * namespace, which reads other attributes. Owners that could not be applied are left: all files then belong to the one
 * user that containers have.
 */
export function shimLayerFiles(shim: string, { isUser }: { readonly isUser: boolean }): LayerFiles {
	return {
		applyMarks: async (root, marks) => {
			const input = linesOf(marks);
			if (input.length === 0) return true;
			const child = spawn(shim, ['layer', root, isUser ? 'user' : 'root'], {
				stdio: ['pipe', 'ignore', 'ignore'],
				env: {},
			});
			// The shim may end early: its exit code says so.
			child.stdin.on('error', () => {});
			child.stdin.end(input);
			const [code] = await once(child, 'exit');
			return code === 0;
		},
	};
}

function linesOf({ whiteouts, opaques, xattrs }: LayerMarks): Buffer {
	const lines = [
		...whiteouts.map((path) => `w ${path}\0`),
		...opaques.map((path) => `o ${path}\0`),
		...[...xattrs].flatMap(([path, attributes]) =>
			[...attributes]
				// A name with a blank would be read as another one. No kernel has such names.
				.filter(([name]) => !name.includes(' '))
				.map(([name, value]) => `x ${name} ${Buffer.from(value, 'latin1').toString('hex')} ${path}\0`),
		),
	];
	return Buffer.from(lines.join(''), 'latin1');
}
