"use strict";
// One survey: questions in their order, a choice each, kept in this browser under the survey's digest.

const survey = JSON.parse(document.getElementById("survey").textContent);
const KEY = `tedigan-survey-${survey.digest}`;
const TITLES = { realism: "Which looks most like a real photograph?", text: "Which fits the sentence best?" };
const TITLES_OF_TWO = { realism: "Which looks more like a real photograph?", text: "Which fits the sentence better?" };
const $ = (id) => document.getElementById(id);
const total = survey.questions.length;

// ---- what is kept

function person() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
}

function isUsable(found) {
  return found && /^[0-9a-f]{32}$/.test(found.person) && Array.isArray(found.choices) && found.choices.length <= total
    && found.choices.every((one, n) => Number.isInteger(one) && one >= 0 && one < survey.questions[n].pictures.length);
}

// Of this browser, and of this tab: Chromium now and then shows a page that is loaded again an empty localStorage.
const STORES = ["localStorage", "sessionStorage"];

function remembered() {
  for (const store of STORES) {
    try {
      const found = JSON.parse(window[store].getItem(KEY));
      if (isUsable(found)) return { person: found.person, choices: found.choices };
    } catch {
      // a store that is shut keeps nothing
    }
  }
  return null;
}

function keep(store, key, value) {
  try {
    window[store].setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

function remember() {
  for (const store of STORES) keep(store, KEY, JSON.stringify(state));
}

let state = remembered() ?? { person: person(), choices: [] };
let at = null; // the section that is shown

// ---- what is shown

function show(name) {
  at = name;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
}

function begin() {
  $("count").textContent = `There are ${total} questions.`;
  $("start").textContent = state.choices.length ? "Go on where you were" : "Begin";
  $("unkept").hidden = keep("localStorage", "tedigan-survey", ""); // never over answers, which may be there unseen
  show("begin");
  $("start").focus();
}

function ask() {
  const number = state.choices.length;
  if (number === total) {
    show("end");
    $("another").hidden = true;
    return $("save").focus();
  }
  const { kind, text, pictures } = survey.questions[number];
  $("number").textContent = `${number + 1} of ${total}`;
  $("bar").max = total;
  $("bar").value = number;
  $("title").textContent = (pictures.length === 2 ? TITLES_OF_TWO : TITLES)[kind];
  $("text").textContent = text ?? "";
  $("text").hidden = text === null;
  $("keys").textContent = pictures.length === 2 ? "1 and 2, or ← and →" : `1 to ${pictures.length}`;
  $("choices").className = pictures.length < 3 ? "choices few" : "choices";
  $("choices").replaceChildren(...pictures.map(choice));
  $("back").disabled = number === 0;
  show("ask");
}

function choice(picture, place) {
  const button = document.createElement("button");
  const image = document.createElement("img");
  const label = document.createElement("span");
  image.src = survey.pictures[picture];
  image.alt = `face ${place + 1}`;
  label.textContent = `${place + 1}`;
  button.append(image, label);
  button.addEventListener("click", () => choose(place));
  return button;
}

// ---- what a person does

function choose(place) {
  document.activeElement?.blur(); // or Enter would choose again
  state.choices.push(place);
  remember();
  ask();
}

function back() {
  if (!state.choices.length) return;
  state.choices.pop();
  remember();
  ask();
}

function save() {
  const content = { format: 1, survey: survey.digest, person: state.person, choices: state.choices };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(content)}\n`], { type: "application/json" }));
  link.download = `answers-${survey.digest.slice(0, 12)}-${state.person.slice(0, 8)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  $("another").hidden = false;
}

function another() {
  state = { person: person(), choices: [] };
  remember();
  begin();
}

function placeOf(key, count) {
  if (count === 2 && (key === "ArrowLeft" || key === "ArrowRight")) return key === "ArrowLeft" ? 0 : 1;
  return /^[1-9]$/.test(key) && Number(key) <= count ? Number(key) - 1 : null;
}

document.addEventListener("keydown", (event) => {
  if (at !== "ask" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = placeOf(event.key, survey.questions[state.choices.length].pictures.length);
  if (place === null && event.key !== "Backspace") return;
  event.preventDefault();
  if (place === null) back();
  else choose(place);
});

$("start").addEventListener("click", ask);
$("back").addEventListener("click", back);
$("last").addEventListener("click", back);
$("save").addEventListener("click", save);
$("another").addEventListener("click", another);
begin();
