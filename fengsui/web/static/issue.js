/* 拟稿：键盘定级、一点即填、全区与乡镇互斥。没有它，页面照样能用。 */
(function () {
  "use strict";
  var form = document.getElementById("writing");
  if (!form) { return; }
  var LEVELS = { "1": "red", "2": "orange", "3": "yellow", "4": "blue", "0": "", r: "red", o: "orange", y: "yellow", b: "blue" };
  function each(list, act) { Array.prototype.forEach.call(list, act); }
  function told(input) {
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
  function at(row, level) { return row.querySelector('input[data-level="' + level + '"]'); }
  function choose(row, level) {
    var input = at(row, level);
    if (!input) { return null; }
    input.focus();
    if (input.checked) { return null; }
    input.checked = true;
    return input;
  }
  function beside(row, step) {
    var all = row.parentNode.querySelectorAll("[data-row]"), i = Array.prototype.indexOf.call(all, row) + step;
    return all[i] || null;
  }
  function move(row, step, level) {
    var next = beside(row, step);
    if (!next) { return; }
    var own = next.querySelector("input:checked") || at(next, level) || next.querySelector("input");
    own.focus();
  }
  function reveal() { each(form.querySelectorAll("[data-put]"), function (b) { b.hidden = false; }); }

  form.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault(); document.getElementById("hand-in").click(); return;
    }
    var row = event.target.closest("[data-row]"), input = event.target;
    if (!row || event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault(); move(row, event.key === "ArrowDown" ? 1 : -1, input.dataset.level); return;
    }
    var key = event.key.toLowerCase(), level = key === "5" && "was" in row.dataset ? row.dataset.was : LEVELS[key];
    if (level === undefined) { return; }
    event.preventDefault(); event.stopPropagation();
    var chosen = choose(row, level);
    if (chosen) { told(chosen); }
  });

  form.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) { return; }
    if ("put" in button.dataset) {
      var box = form.elements.cause;
      box.value = button.dataset.put; box.focus(); told(box);
    }
    if ("all" in button.dataset) {
      var last = null;
      each(form.querySelectorAll("#zones [data-row]"), function (row) {
        var wanted = button.dataset.all === "was" ? row.dataset.was : button.dataset.all, input = at(row, wanted);
        if (input && !input.checked) { input.checked = true; last = input; }
      });
      if (last) { told(last); }
    }
  });

  var towns = form.querySelector("[data-whole]");
  if (towns) {
    towns.addEventListener("change", function (event) {
      var whole = towns.querySelector('input[value="' + towns.dataset.whole + '"]');
      if (!event.target.checked) { return; }
      each(towns.querySelectorAll("input"), function (one) {
        if (event.target === whole ? one !== whole : one === whole) { one.checked = false; }
      });
    });
  }
  var bulk = document.getElementById("bulk");
  if (bulk) { bulk.hidden = false; }
  reveal();
  document.body.addEventListener("htmx:afterSettle", reveal);
  var first = form.querySelector("[data-row] input:checked") || form.querySelector("[data-row] input") || form.elements.cause;
  var waits = document.querySelector("main .wrong, main .waiting");
  if (first && !waits) { first.focus({ preventScroll: true }); }
  document.addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown" && event.target === document.body && first) { event.preventDefault(); first.focus(); }
  });
}());
