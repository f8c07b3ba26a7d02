/**
 * Block Kit as documented (docs.slack.dev/reference/block-kit): what Slack refuses in a message or a form, with the
 * limits of blocks, buttons, menus and confirmation dialogs.
 */

type TextObject = { readonly type?: string; readonly text?: string };
type Element = {
  readonly type?: string;
  readonly action_id?: string;
  readonly text?: TextObject;
  readonly value?: string;
  readonly style?: string;
  readonly confirm?: { readonly title?: TextObject } & Record<string, TextObject>;
  readonly options?: readonly {
    readonly text?: TextObject;
    readonly value?: string;
    readonly url?: string;
  }[];
  readonly max_length?: number;
};

/** Every fault of a message's blocks, with Slack's pointers; empty when they are acceptable. */
export function blockFaults(blocks: readonly Record<string, unknown>[], max = 50): string[] {
  const faults: string[] = [];
  if (blocks.length > max) faults.push(`no more than ${max} items allowed [json-pointer:/blocks]`);
  blocks.forEach((block, i) => {
    const at = `[json-pointer:/blocks/${i}]`;
    if (typeof block.block_id === 'string' && block.block_id.length > 255)
      faults.push(`block_id too long ${at}`);
    const text = block.text as TextObject | undefined;
    const elements = (block.elements ?? []) as readonly Element[];
    switch (block.type) {
      case 'section':
        if (text?.text === undefined && block.fields === undefined) faults.push(`missing text ${at}`);
        if (text?.text === '') faults.push(`must be more than 0 characters ${at}`);
        if ((text?.text?.length ?? 0) > 3000) faults.push(`must be less than 3001 characters ${at}`);
        break;
      case 'header':
        if (text?.type !== 'plain_text') faults.push(`header wants plain_text ${at}`);
        if ((text?.text?.length ?? 0) > 150) faults.push(`must be less than 151 characters ${at}`);
        break;
      case 'context':
        if (elements.length > 10) faults.push(`more than 10 elements ${at}`);
        break;
      case 'actions':
        if (elements.length === 0) faults.push(`no elements ${at}`);
        if (elements.length > 25) faults.push(`more than 25 elements ${at}`);
        for (const element of elements)
          faults.push(...elementFaults(element).map((fault) => `${fault} ${at}`));
        if (new Set(elements.map((one) => one.action_id)).size !== elements.length)
          faults.push(`action_ids are not unique ${at}`);
        break;
      case 'input': {
        const element = block.element as Element | undefined;
        if (element?.type !== 'plain_text_input') faults.push(`unsupported input ${at}`);
        if ((element?.max_length ?? 0) > 3000) faults.push(`max_length above 3000 ${at}`);
        faults.push(...plainFaults('label', block.label as TextObject | undefined, 2000));
        break;
      }
      case 'divider':
        break;
      default:
        faults.push(`unsupported block type ${String(block.type)} ${at}`);
    }
  });
  const ids = blocks.map((block) => block.block_id).filter((id) => id !== undefined);
  if (new Set(ids).size !== ids.length) faults.push('block_ids are not unique [json-pointer:/blocks]');
  return faults;
}

/** Every fault of a modal. */
export function viewFaults(view: Record<string, unknown>): string[] {
  return [
    ...(view.type === 'modal' ? [] : [`view type ${String(view.type)}`]),
    ...plainFaults('title', view.title as TextObject | undefined, 24),
    ...plainFaults('submit', view.submit as TextObject | undefined, 24),
    ...plainFaults('close', view.close as TextObject | undefined, 24),
    ...(String(view.private_metadata ?? '').length > 3000 ? ['private_metadata too long'] : []),
    ...blockFaults((view.blocks ?? []) as Record<string, unknown>[], 100),
  ];
}

function elementFaults(element: Element): string[] {
  const faults: string[] = [];
  if ((element.action_id?.length ?? 0) > 255) faults.push('action_id too long');
  const { confirm } = element;
  if (confirm !== undefined) {
    faults.push(...plainFaults('confirm.title', confirm.title, 100));
    faults.push(...plainFaults('confirm.text', confirm.text, 300));
    faults.push(...plainFaults('confirm.confirm', confirm.confirm, 30));
    faults.push(...plainFaults('confirm.deny', confirm.deny, 30));
  }
  if (element.type === 'button') {
    faults.push(...plainFaults('button text', element.text, 75));
    if ((element.value?.length ?? 0) > 2000) faults.push('button value too long');
    if (element.style !== undefined && !['primary', 'danger'].includes(element.style)) faults.push('style');
  } else if (element.type === 'overflow') {
    const options = element.options ?? [];
    if (options.length < 1 || options.length > 5) faults.push('1 to 5 options');
    for (const option of options) {
      faults.push(...plainFaults('option text', option.text, 75));
      if ((option.value ?? '').length < 1 || (option.value ?? '').length > 75) faults.push('option value');
      if ((option.url?.length ?? 0) > 3000) faults.push('option url');
    }
  } else faults.push(`unsupported element ${String(element.type)}`);
  return faults;
}

function plainFaults(what: string, text: TextObject | undefined, max: number): string[] {
  if (text?.type !== 'plain_text') return [`${what}: expected plain_text`];
  const length = text.text?.length ?? 0;
  return length < 1 || length > max ? [`${what}: 1 to ${max} characters, found ${length}`] : [];
}
