/** The flags of `images` and of its commands: see images/. */

import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { ImageFolderFlags } from './images/local-images.ts';

/** Adds the commands of `images`. Without one of them, it lists the images, as `docker images` does. */
export function registerImages(
	command: Command,
	context: CliContext,
	perform: (work: () => Promise<unknown>) => Promise<void>,
): void {
	// These may stand before or after the name of a command.
	command
		.option('--data-dir <dir>', 'data folder of the server (default: that of stint server)')
		.option('--image-dir <dir>', 'folder of the images (default: images in the data folder)')
		.configureHelp({ ...command.configureHelp(), showGlobalOptions: true });
	const withFolder = <Flags extends object>(own: Flags) => ({ ...command.opts<ImageFolderFlags>(), ...own });
	const add = (name: string, description: string): Command =>
		command.command(name, { isDefault: name === 'ls' }).description(description);
	add('ls', 'list images')
		.alias('list')
		.option('-o, --output <form>', 'output format: json or name')
		.option('-q, --quiet', 'print ids only')
		.option('--no-trunc', 'print whole ids')
		.action((flags) =>
			perform(async () => (await import('./images/list-images.ts')).listImages(context, withFolder(flags))),
		);
	add('pull', 'pull images from their registries')
		.argument('<names...>', 'names of images')
		.option('-q, --quiet', 'print only the names of the images')
		.action((names: string[], flags) =>
			perform(async () =>
				(await import('./images/pull-images.ts')).pullImages(context, names, withFolder(flags)),
			),
		);
	add('rm', 'remove images')
		.alias('rmi')
		.argument('<words...>', 'names or ids of images')
		.option('-f, --force', 'remove the names of images in use, and images with several names by their id')
		.action((words: string[], flags) =>
			perform(async () =>
				(await import('./images/remove-images.ts')).removeImages(context, words, withFolder(flags)),
			),
		);
	add('prune', 'remove images without a name that no container uses')
		.option('-a, --all', 'also images with names')
		.addOption(command.createOption('-f, --force', 'for scripts: stint never asks').hideHelp())
		.action((flags) =>
			perform(async () => (await import('./images/prune-images.ts')).pruneImages(context, withFolder(flags))),
		);
	add('tag', 'give an image a further name')
		.argument('<source>', 'name or id of the image')
		.argument('<target>', 'its further name')
		.action((source: string, target: string, flags) =>
			perform(async () =>
				(await import('./images/tag-image.ts')).tagImage(context, { source, target }, withFolder(flags)),
			),
		);
}
