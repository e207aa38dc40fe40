/**
 * Asks before something that cannot be undone. The focus returns to where it was.
 * @param {string} text
 * @param {string} yes
 * @param {string} no
 * @returns {Promise<boolean>}
 */
export function ask(text, yes, no) {
  const dialog = document.createElement('dialog');
  dialog.className = 'card question';
  const question = document.createElement('p');
  question.id = 'question';
  question.textContent = text;
  dialog.setAttribute('aria-labelledby', question.id);
  const actions = document.createElement('div');
  actions.className = 'actions';
  for (const [name, value, look] of [[no, '', ''], [yes, 'yes', 'danger']]) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = name ?? '';
    button.className = look ?? '';
    button.addEventListener('click', () => dialog.close(value));
    actions.append(button);
  }
  dialog.append(question, actions);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise(resolve => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}
