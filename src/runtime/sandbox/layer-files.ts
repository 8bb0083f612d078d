import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LayerFiles, LayerMarks } from '../../image/layers/layer-marks.ts';

/** By whom overlays of layers are mounted: root, or a user in a user namespace, which reads other attributes. `none`: they cannot be mounted. */
export type OverlayUse = 'root' | 'user' | 'none';

/** How many characters of the shim's own words an error quotes. */
const LONGEST_REASON = 1000;

/**
 * Applies the marks of layers by the shim, which has the calls that Node lacks. Owners that could not be applied are left:
 * all files then belong to the one user that containers have. `onError` receives why marks could not be applied.
 *
 * Where overlays cannot be mounted, not even root may set the attribute of an opaque folder: a layer with one cannot be
 * mounted later either, and containers get copies of it.
 */
export function shimLayerFiles(
	shim: string,
	{ overlays, onError }: { readonly overlays: OverlayUse; readonly onError: (error: Error) => void },
): LayerFiles {
	return {
		applyMarks: async (root, marks) => {
			const lacksOpaques = overlays === 'none' && marks.opaques.length > 0;
			const input = linesOf(lacksOpaques ? { ...marks, opaques: [] } : marks);
			if (input.length === 0) return !lacksOpaques;
			const child = spawn(shim, ['layer', root, overlays === 'user' ? 'user' : 'root'], {
				stdio: ['pipe', 'ignore', 'pipe'],
				env: {},
			});
			let told = '';
			child.stderr.setEncoding('utf8').on('data', (text: string) => {
				told = (told + text).slice(-LONGEST_REASON);
			});
			// The shim may end early: its exit code says so.
			child.stdin.on('error', () => {});
			child.stdin.end(input);
			const [code, signal] = await once(child, 'close');
			if (code === 0) return !lacksOpaques;
			const why = told.trim() || `the shim ended with ${signal ?? `exit code ${code}`}`;
			onError(new Error(`the attributes and whiteouts of a layer could not be set: ${why}`));
			return false;
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
